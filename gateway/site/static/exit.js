// Shift three times or a click: blank at once, then away.
(() => {
  const exit = document.querySelector('.exit a, .exit form');
  const blank = () => { document.documentElement.hidden = true; };
  const leave = (way) => {
    blank();
    if (way.href) location.replace(way.href);
    else way.submit();
  };
  let times = [];
  addEventListener('keydown', ({ key, repeat, timeStamp }) => {
    if (repeat) return;
    times = key === 'Shift' ? [...times.slice(-2), timeStamp] : [];
    if (times[2] - times[0] < 2000) leave(exit);
  }, true);
  addEventListener('click', (event) => {
    const way = event.target.closest('.exit a');
    if (way) { event.preventDefault(); leave(way); }
  });
  addEventListener('submit', ({ target }) => { if (target === exit) blank(); });
  // Back brings no code.
  addEventListener('pagehide', () => document.querySelectorAll('.code').forEach((one) => { one.value = ''; }));
  document.querySelectorAll('.keys').forEach((one) => { one.hidden = false; });
})();
