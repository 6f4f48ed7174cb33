// Shift three times or a click: blank at once, then away.
(() => {
  const root = document.documentElement;
  const exit = document.querySelector('.exit form');
  const blank = () => { root.hidden = true; };
  let times = [];
  let called = -500;
  let typed = [...document.querySelectorAll('.writing textarea')].some((one) => one.value);
  addEventListener('keydown', ({ key, repeat, timeStamp }) => {
    if (repeat) return;
    times = key === 'Shift' ? [...times.slice(-2), timeStamp] : [];
    if (times[2] - times[0] < 2000) { blank(); exit.submit(); }
  }, true);
  addEventListener('submit', ({ target, defaultPrevented }) => {
    if (target === exit) blank();
    if (target.className === 'writing' && !defaultPrevented) typed = false;
  });
  // Nothing typed is lost without a question; whoever leaves is asked none.
  addEventListener('input', ({ target }) => { typed ||= target.form?.className === 'writing'; });
  addEventListener('beforeunload', (event) => {
    if (typed && !root.hidden && event.timeStamp - called > 500) event.preventDefault();
  });
  // A call leaves no page.
  addEventListener('click', ({ target, timeStamp }) => { if (target.closest('[href^="tel:"]')) called = timeStamp; });
  // Back brings no code.
  addEventListener('pagehide', () => document.querySelectorAll('.code').forEach((one) => { one.value = ''; }));
  document.querySelectorAll('.keys').forEach((one) => { one.hidden = false; });
})();
