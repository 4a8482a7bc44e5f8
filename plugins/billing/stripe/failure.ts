/** What Stripe could not or would not do. Trying again cannot help when the failure is `permanent`. */
export class StripeFailure extends Error {
  readonly permanent: boolean
  /** Stripe has no object with the id in question. */
  readonly missing: boolean

  constructor(
    message: string,
    { permanent, missing = false, cause }: { permanent: boolean; missing?: boolean; cause?: unknown },
  ) {
    super(message, { cause })
    this.name = 'StripeFailure'
    this.permanent = permanent
    this.missing = missing
  }
}
