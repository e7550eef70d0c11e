// Before the first paint, so that nothing flashes. Everything else is in modules.
{
  const theme = localStorage.getItem("waypost.theme");
  if (theme) document.documentElement.dataset.theme = theme;
}
