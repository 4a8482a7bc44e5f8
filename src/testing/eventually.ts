/**
 * Asks until the answer is there, for at most `withinMs`: what the world does in its own time cannot be awaited. It asks
 * again after a tenth of the time that has passed, so that to ask takes little from what is waited for: no sooner than
 * after `pauseMs`, and no later than after 100 ms.
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
