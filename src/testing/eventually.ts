/**
 * Polls until the answer is truthy, for at most `withinMs`, and returns it. Use it for changes that cannot be
 * awaited. The delay between polls is a tenth of the time passed, at least `pauseMs` and at most 100 ms, so that
 * polling takes little processor time from the work.
 */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  { withinMs = 60_000, pauseMs = 5 }: { withinMs?: number; pauseMs?: number } = {},
): Promise<T> {
  const begun = performance.now()
  let last: unknown
  for (let passed = 0; passed < withinMs; passed = performance.now() - begun) {
    try {
      const answer = await ask()
      if (answer) return answer
      last = answer
    } catch (error) {
      last = error
    }
    const pause = Math.max(pauseMs, Math.min((performance.now() - begun) / 10, 100))
    await new Promise(resolve => setTimeout(resolve, pause))
  }
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last })
}
