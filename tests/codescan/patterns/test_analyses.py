"""Vulnerable and fixed forms of one function: only the first is flagged."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine

ENGINE = PatternEngine()

PAIRS = [
    # a test that is missing
    ("c", "OT-C-011",
     "int f(const u8 *p, size_t len)\n{\n  u8 a = p[0];\n  if (len < 2) return 0;\n  return a;\n}",
     "int f(const u8 *p, size_t len)\n{\n  u8 a;\n  if (len < 2) return 0;\n  a = p[0];\n  return a;\n}"),
    ("c", "OT-C-010",
     "void f(struct m *m, char *d) { int n = ntohs(m->n); memcpy(d, m->b, n); }",
     "void f(struct m *m, char *d) { int n = ntohs(m->n); if (n > 9) return; memcpy(d, m->b, n); }"),
    ("c", "OT-C-010",
     "void f(char *s, int n) { char b[9]; memcpy(b, s, n); }",
     "void f(char *s, int n) { char b[9]; n = min(n, 9); memcpy(b, s, n); }"),
    ("c", "OT-C-012",
     "int f(u8 *b) { int i = get_u8(b); return table[i]; }",
     "int f(u8 *b) { int i = get_u8(b); if (i >= 9) return 0; return table[i]; }"),
    ("c", "OT-C-017",
     "void f(struct i *i) { p = malloc(i->w * i->h); }",
     "void f(struct i *i) { if (i->w > MAX / i->h) return; p = malloc(i->w * i->h); }"),
    ("c", "OT-C-021",
     "int f(struct s *s) { s->b = calloc(9, 1); s->b[0] = 1; return 0; }",
     "int f(struct s *s) { s->b = calloc(9, 1); if (!s->b) return 1; s->b[0] = 1; return 0; }"),
    ("c", "OT-C-021",
     "void f(void) { FILE *h = fopen(NAME, MODE); fgets(b, 9, h); }",
     "void f(void) { FILE *h; if ((h = fopen(NAME, MODE)) == NULL) return; fgets(b, 9, h); }"),
    ("c", "OT-C-022",
     "int f(void) { return strcmp(getenv(\"A\"), \"b\"); }",
     "int f(void) { char *a = getenv(\"A\"); return a ? strcmp(a, \"b\") : 1; }"),
    # an order that is wrong
    ("c", "OT-C-023",
     "int f(struct s *p) { int n = p->n; if (p == NULL) return 0; return n; }",
     "int f(struct s *p) { int n; if (p == NULL) return 0; n = p->n; return n; }"),
    ("c", "OT-C-023",
     "int f(struct s *p) { use(p->n); if (p) { g(p); } return 1; }",
     "int f(struct s *p) { use(p->n); p = next(p); if (p) { g(p); } return 1; }"),
    ("c", "OT-C-024",
     "void f(struct r *r) { put_it(r); kfree(r); log(r->n); }",
     "void f(struct r *r) { log(r->n); put_it(r); kfree(r); }"),
    ("c", "OT-C-024",
     "void f(struct r *r) { kfree(r); log(r->n); }",
     "void f(struct r *r) { kfree(r); r = get(); log(r->n); }"),
    ("c", "OT-C-025",
     "void f(char *p) { if (a) { free(p); b(); free(p); } }",
     "void f(char *p) { if (a) { free(p); return; } free(p); }"),
    ("c", "OT-C-047",
     "void f(L *h) { L *p; for (p = h; p; p = p->next) { g(p->x); free(p); } }",
     "void f(L *h) { L *p; for (p = h; p; p = p->next) { if (p->x) { free(p); break; } } }"),
    # a limit that is wrong
    ("c", "OT-C-013",
     "void f(void) { char a[8]; int i; for (i = 0; i <= sizeof(a); i++) a[i] = 0; }",
     "void f(void) { char a[8]; int i; for (i = 0; i < sizeof(a); i++) a[i] = 0; }"),
    ("cpp", "OT-C-014",
     "int f(unsigned i) { if (i > parts.size()) throw 1; return parts[i]; }",
     "int f(unsigned i) { if (i >= parts.size()) throw 1; return parts[i]; }"),
    ("c", "OT-C-015",
     "void f(int s, int o) { char b[9]; recv(s, &b[o], sizeof(b), 0); }",
     "void f(int s, int o) { char b[9]; recv(s, &b[o], sizeof(b) - o, 0); }"),
    ("c", "OT-C-048",
     "void f(int n) { if (n >= 9) return; a[n] = 1; }",
     "void f(int n) { if (n < 0 || n >= 9) return; a[n] = 1; }"),
    ("c", "OT-C-048",
     "void f(int n) { if (n >= 9) return; a[n] = 1; }",
     "void f(unsigned n) { if (n >= 9) return; a[n] = 1; }"),
    ("c", "OT-C-031",
     "int rm(int d, const char *filename) { return unlinkat(d, filename, 0); }",
     "int rm(int d, const char *filename) { if (!is_valid(filename)) return 1;"
     " return unlinkat(d, filename, 0); }"),
    # sizes, ends and starts
    ("c", "OT-C-010",
     "int f(int s) { struct h h; char b[9]; if (get(s, &h, sizeof(h)) < 0) return 1;"
     " return recv(s, b, h.n, 0); }",
     "int f(int s) { struct h h; char b[9]; if (get(s, &h, sizeof(h)) < 0) return 1;"
     " if (h.n > sizeof(b)) return 1; return recv(s, b, h.n, 0); }"),
    ("c", "OT-C-011",
     "int f(const u8 *p, int len) { while (len > 0) { use(p[1]); len -= 2; } return 0; }",
     "int f(const u8 *p, int len) { while (len > 1) { use(p[1]); len -= 2; } return 0; }"),
    ("c", "OT-C-012",
     "void f(void) { int i = -1; int a[9]; scanf(\"%d\", &i); if (i >= 0) a[i] = 1; }",
     "void f(void) { int i = -1; int a[9]; scanf(\"%d\", &i); if (i >= 0 && i < 9) a[i] = 1; }"),
    ("c", "OT-C-014",
     "int f(unsigned i) { static int a[4]; if (i > 4) return 0; return a[i]; }",
     "int f(unsigned i) { static int a[4]; if (i > 3) return 0; return a[i]; }"),
    ("c", "OT-C-048",
     "void f(short n) { static char a[99]; if (n < 99) { a[n] = 1; } }",
     "void f(short n) { static char a[99]; if (n >= 0 && n < 99) { a[n] = 1; } }"),
    ("c", "OT-C-055", "void f(void) { int a[3]; a[3] = 1; }", "void f(void) { int a[3]; a[2] = 1; }"),
    ("c", "OT-C-056",
     "void f(char *d, const char *s, int size) { int i;"
     " for (i = 0; i < size && s[i]; i++) d[i] = s[i]; d[i] = 0; }",
     "void f(char *d, const char *s, int size) { int i;"
     " for (i = 0; i < size - 1 && s[i]; i++) d[i] = s[i]; d[i] = 0; }"),
    ("c", "OT-C-057",
     "void f(char *s) { s[strlen(s) - 1] = 0; }",
     "void f(char *s) { if (strlen(s) > 0) s[strlen(s) - 1] = 0; }"),
    ("c", "OT-C-058",
     "int f(struct s *p, int i) { return p->items[i]; }",
     "int f(struct s *p, int i) { if (i < 0 || i >= p->n) return 0; return p->items[i]; }"),
    ("c", "OT-C-059",
     "int f(int k) { int v; switch (k) { case 1: v = 1; break; } return v; }",
     "int f(int k) { int v; switch (k) { case 1: v = 1; break; default: v = 0; } return v; }"),
    ("c", "OT-C-059",
     "int f(int *a, int n) { int t; for (int i = 0; i < n; i++) t += a[i]; return t; }",
     "int f(int *a, int n) { int t = 0; for (int i = 0; i < n; i++) t += a[i]; return t; }"),
    ("c", "OT-C-063",
     "void f(int s) { char b[9]; read(s, b, sizeof(b)); printf(\"%s\", b); }",
     "void f(int s) { char b[9] = {0}; read(s, b, sizeof(b) - 1); printf(\"%s\", b); }"),
    ("c", "OT-C-064",
     "void f(char *d, size_t room, const char *s) { strcpy(d, s); }",
     "void f(char *d, size_t room, const char *s) { if (strlen(s) < room) strcpy(d, s); }"),
    ("c", "OT-C-066",
     "char *f(const char *a, const char *b) { char *r = malloc(strlen(a) + strlen(b) + 1);"
     " sprintf(r, \"%s/%s\", a, b); return r; }",
     "char *f(const char *a, const char *b) { char *r = malloc(strlen(a) + strlen(b) + 2);"
     " sprintf(r, \"%s/%s\", a, b); return r; }"),
    ("c", "OT-C-067",
     "void *f(FILE *i) { unsigned n; fread(&n, 4, 1, i); return malloc(n * sizeof(long)); }",
     "void *f(FILE *i) { unsigned n; fread(&n, 4, 1, i); if (n > 99) return 0;"
     " return malloc(n * sizeof(long)); }"),
    # what is given back, lost or left behind
    ("c", "OT-C-024",
     "void f(L *n) { while (n) { free(n); n = n->next; } }",
     "void f(L *n) { while (n) { L *m = n->next; free(n); n = m; } }"),
    ("c", "OT-C-024",
     "char *f(void) { char *p = malloc(9); if (!p) return 0; free(p); return p; }",
     "char *f(void) { char *p = malloc(9); if (!p) return 0; return p; }"),
    ("c", "OT-C-024",
     "void f(char *p, int e) { if (e) { free(p); } p[0] = 1; }",
     "void f(char *p, int e) { if (e) { free(p); return; } p[0] = 1; }"),
    ("c", "OT-C-025",
     "int f(char *p) { if (bad(p)) { free(p); goto out; } use(p); out: free(p); return 0; }",
     "int f(char *p) { if (bad(p)) { goto out; } use(p); out: free(p); return 0; }"),
    ("c", "OT-C-061",
     "int f(void) { char *p = malloc(9); if (!p) return 1; FILE *h = fopen(NAME, \"r\");"
     " if (!h) return 2; use(h, p); free(p); return 0; }",
     "int f(void) { char *p = malloc(9); if (!p) return 1; FILE *h = fopen(NAME, \"r\");"
     " if (!h) { free(p); return 2; } use(h, p); free(p); return 0; }"),
    ("c", "OT-C-062",
     "void f(void) { char pin[9]; ask(pin); check(pin); memset(pin, 0, sizeof(pin)); }",
     "void f(void) { char pin[9]; ask(pin); memset(pin, 0, sizeof(pin)); check(pin); }"),
    ("c", "OT-C-036",
     "int f(const char *n) { struct stat s; if (lstat(n, &s) != 0) return 1; return open(n, 0); }",
     "int f(const char *n) { struct stat s; int d = open(n, O_NOFOLLOW);"
     " return fstat(d, &s); }"),
    ("c", "OT-C-078",
     "void f(void) { struct s *p = NULL; p->n = 1; }",
     "void f(void) { struct s *p = NULL; get((void **)&p); p->n = 1; }"),
    ("cpp", "OT-CPP-006",
     "void f(DB &d, std::string n) { std::ostringstream q;"
     " q << \"SELECT a FROM t WHERE n='\" << n << \"'\"; d.query(q.str()); }",
     "void f(DB &d, std::string n) { std::ostringstream q;"
     " q << \"SELECT a FROM t WHERE n=?\"; d.query(q.str(), n); }"),
    # other languages
    ("javascript", "OT-JS-037",
     "function set(o, p, v) { while (p.length > 1) { const k = p.shift(); o = o[k]; }"
     " const l = p[0]; o[l] = v; }",
     "function set(o, p, v) { while (p.length > 1) { const k = p.shift();"
     " if (k === '__proto__') return; o = o[k]; } const l = p[0]; o[l] = v; }"),
    ("javascript", "OT-JS-039",
     "window.addEventListener('message', function (event) { handle(event.data.command); });",
     "window.addEventListener('message', function (event) { if (event.origin !== o) return;"
     " handle(event.data.command); });"),
    ("go", "OT-GO-005",
     "package a\nfunc f(d string, r *tar.Reader) { h, _ := r.Next(); p := filepath.Join(d, h.Name)"
     "; os.Create(p) }",
     "package a\nfunc f(d string, r *tar.Reader) { h, _ := r.Next(); p := filepath.Join(d, h.Name)"
     "; if !strings.HasPrefix(p, d) { return }; os.Create(p) }"),
    ("go", "OT-GO-005",
     "package a\nfunc f(d string, r *tar.Reader) { h, _ := r.Next(); p := filepath.Join(d, h.Name)"
     "; os.Create(p) }",
     "package a\nfunc f(d string, r *tar.Reader) { h, _ := r.Next(); p := filepath.Join(d, h.Name)"
     "; if !isBelow(d, p) { return }; os.Create(p) }"),
    ("go", "OT-GO-020",
     "package a\nfunc f(c *gin.Context) { var in Body; c.BindJSON(&in); http.Get(in.URL) }",
     "package a\nfunc f(c *gin.Context) { var in Body; load(&in); http.Get(in.URL) }"),
    ("go", "OT-GO-001",
     "package a\nfunc f(s string) { b := strings.Builder{};"
     " fmt.Fprintf(&b, \"SELECT a FROM t WHERE s='%s'\", s); db.Query(b.String()) }",
     "package a\nfunc f(s string) { b := strings.Builder{};"
     " b.WriteString(\"SELECT a FROM t WHERE s=?\"); db.Query(b.String(), s) }"),
    ("go", "OT-GO-027",
     "package a\nfunc f(b []byte) byte { return b[3] }",
     "package a\nfunc f(b []byte) byte { if len(b) < 4 { return 0 }; return b[3] }"),
    ("go", "OT-GO-032",
     "package a\nfunc f() { r, err := http.Get(u); defer r.Body.Close(); if err != nil { return } }",
     "package a\nfunc f() { r, err := http.Get(u); if err != nil { return }; defer r.Body.Close() }"),
    ("java", "OT-JAVA-028",
     "class A { void f(ZipEntry entry, File d) { File o = new File(d, entry.getName()); w(o); } }",
     "class A { void f(ZipEntry entry, File d) { File o = new File(d, entry.getName());"
     " if (!o.toPath().normalize().startsWith(d.toPath())) return; w(o); } }"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "rule", "before", "after"), PAIRS)
def test_only_the_side_before_the_fix_is_flagged(
    language: str, rule: str, before: str, after: str
) -> None:
    """The missing or misplaced check is found, and its presence silences the rule."""
    vulnerable, fixed = ENGINE.scan([Snippet(language, before), Snippet(language, after)])
    assert rule in {flaw.rule for flaw in vulnerable.flaws}
    assert rule not in {flaw.rule for flaw in fixed.flaws}


@pytest.mark.parametrize(
    ("before", "size"),
    [("%d.%d.%d.%d", 16), ("%u:%u", 20), ("id %08lx", 8), ("%c%c%c", 3)],
)
def test_a_format_of_numbers_is_measured(before: str, size: int) -> None:
    """The longest output of the format is compared with the array, by hand: 48, 24, 24, 4."""
    code = f'void f(void) {{ char t[{size}]; sprintf(t, "{before}", a, b, c, d); }}'
    wide = code.replace(f"t[{size}]", "t[64]")
    assert "OT-C-050" in {flaw.rule for flaw in ENGINE.scan([Snippet("c", code)])[0].flaws}
    assert "OT-C-050" not in {flaw.rule for flaw in ENGINE.scan([Snippet("c", wide)])[0].flaws}
