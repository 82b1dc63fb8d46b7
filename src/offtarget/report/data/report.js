(() => {
  const button = document.getElementById("reveal");
  if (!button) return;
  const answers = [...document.querySelectorAll("details.ans")];
  const label = () => {
    const folded = answers.some((answer) => !answer.open);
    button.textContent = folded ? "Show all answers" : "Hide all answers";
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const folded = answers.some((answer) => !answer.open);
    answers.forEach((answer) => (answer.open = folded));
    label();
  });
  answers.forEach((answer) => answer.addEventListener("toggle", label));
})();
