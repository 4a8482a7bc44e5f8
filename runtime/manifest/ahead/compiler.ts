import { stop, transform } from 'esbuild'

/** Starts the compiler, which is a process of its own, before there is something to compile. */
export function startCompiler(): void {
  // Why it does not start, the compile says.
  transform('').catch(() => {})
}

/** Ends the compiler, and starts another one. */
export async function restartCompiler(): Promise<void> {
  await stop()
  startCompiler()
}
