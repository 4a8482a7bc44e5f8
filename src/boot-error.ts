/** What keeps a program from starting: every fault at once, each in words that say what would be right. */
export class BootError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`cannot start:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'BootError'
    this.faults = faults
  }
}
