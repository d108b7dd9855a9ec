// What cannot work without a script: copying an address, and fitting an image
// map to a picture that is shown smaller than it is.
"use strict";
document.documentElement.classList.add("js");
for (const button of document.querySelectorAll("button[data-copy]")) {
  const input = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
    } catch {
      document.execCommand("copy"); // no clipboard without https
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
for (const picture of document.querySelectorAll(".mapped img")) {
  const areas = [...picture.parentNode.querySelectorAll("area")];
  const printed = areas.map((a) => a.coords.split(",").map(Number));
  const fit = () => {
    if (!picture.naturalWidth) return;
    const scale = picture.clientWidth / picture.naturalWidth;
    areas.forEach((a, i) => { a.coords = printed[i].map((n) => Math.round(n * scale)).join(","); });
  };
  picture.addEventListener("load", fit);
  new ResizeObserver(fit).observe(picture);
}
