/** A failed delivery; a `permanent` one would fail again. */
export class DeliveryError extends Error {
  readonly permanent: boolean

  constructor(message: string, { permanent, cause }: { permanent: boolean; cause?: unknown }) {
    super(message, { cause })
    this.name = 'DeliveryError'
    this.permanent = permanent
  }
}
