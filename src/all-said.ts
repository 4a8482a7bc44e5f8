/**
 * Waits for what a process said last: until `done` resolves, for `withinMs` at most. A process that had no turn for
 * longer than that finds its timers due before it has looked into its pipes; so that is done once more.
 */
export async function allSaid(done: Promise<unknown>, withinMs: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => setImmediate(resolve), withinMs)
  await Promise.race([done, over])
  clearTimeout(timer)
}
