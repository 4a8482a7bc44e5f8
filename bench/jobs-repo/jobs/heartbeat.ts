/** Says that the shop's jobs run. */
export function run() {
  console.log('alive', performance.timeOrigin + performance.now())
  return performance.timeOrigin + performance.now()
}
