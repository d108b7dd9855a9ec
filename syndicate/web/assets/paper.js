// What cannot work without a script: copying, and fitting an image
// map to a picture that is shown smaller than it is.
"use strict";
document.documentElement.classList.add("js");
for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    if (source.select) source.select(); else getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
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
  // The width that the areas are given for: what the page says, else the
  // picture's own, unless it is plainly a larger one than they were drawn on.
  const given = () => {
    const { naturalWidth: width, naturalHeight: height } = picture;
    if (picture.hasAttribute("width")) return Number(picture.getAttribute("width"));
    const reach = Math.max(...printed.flatMap((c) => c.map((n, i) => i % 2 ? n * width / height : n)));
    return reach < width / 2 || reach > width * 1.05 ? reach * 1.03 : width;
  };
  const fit = () => {
    if (!picture.naturalWidth || !picture.clientWidth) return;
    const scale = picture.clientWidth / given();
    areas.forEach((a, i) => { a.coords = printed[i].map((n) => Math.round(n * scale)).join(","); });
  };
  picture.addEventListener("load", fit);
  new ResizeObserver(fit).observe(picture);
}
