/** Frames of Node and of packages come first: of ten, which Node keeps, none may be in a file of the repo. */
const frames = 50

/** From now on errors keep more of their stack, unless something else has been asked for. Later settings count. */
export function keepDeepStacks(): void {
  if (Error.stackTraceLimit === 10) Error.stackTraceLimit = frames
}

const isFrame = /^\s+at /

/** As many frames as Node keeps are shown in any case. */
const shown = 10

/** The stack with its first frames, and of the others only those that are not of a package. */
export function withoutDeepPackages(stack: string): string {
  const lines: string[] = []
  let [count, left] = [0, 0]
  const leave = () => {
    if (left > 0) lines.push(`    … ${left} lines of packages`)
    left = 0
  }
  for (const line of stack.split('\n')) {
    if (isFrame.test(line) && ++count > shown && line.includes('node_modules/')) {
      left++
      continue
    }
    leave()
    lines.push(line)
  }
  leave()
  return lines.join('\n')
}
