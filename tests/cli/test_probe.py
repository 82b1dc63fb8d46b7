import time
def test_probe(finished, run_cli):
    s=time.time(); said=run_cli("verify", finished); print(said.out, said.err, said.code, time.time()-s)
    print(run_cli("assay","--bogus"))
    print(run_cli("assay"))
    print(run_cli("nope"))
    print(run_cli("assay","x","--seeds","a"))
    print(run_cli("--help").code)
    print(run_cli())
    import subprocess; print(subprocess.run(["find",str(finished),"-type","f"],capture_output=True,text=True).stdout)
    print(open(finished/"report/results.json").read()[:6000])
    print(open(finished/"timings.jsonl").read()[-1500:])
