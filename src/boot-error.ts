/** The faults that keep a program from starting, all at once, each with what would be right. */
export class BootError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`cannot start:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'BootError'
    this.faults = faults
  }
}
