import type { Driver } from '../driver.ts'

/** How often the engine is asked how many addresses instances have. */
export const lookAtAddressesEveryMs = 60_000

/** Addresses of the network that instances share. */
export interface AddressUse {
  used: number
  /** How many containers can be on it at once. */
  total: number
}

/** How many addresses instances take and can take, as the engine said last. */
export class Addresses {
  readonly #driver: Pick<Driver, 'addresses'>
  #now: AddressUse | null = null

  constructor(driver: Pick<Driver, 'addresses'>) {
    this.#driver = driver
  }

  /** Null while that is not known, and where instances have no addresses of their own. */
  get now(): AddressUse | null {
    return this.#now
  }

  /** Throws a DriverError when the engine does not say; what was known last is no longer known then. */
  async look(): Promise<void> {
    try {
      this.#now = await this.#driver.addresses()
    } catch (error) {
      this.#now = null
      throw error
    }
  }
}
