export interface FieldError {
  /** Dotted path of the field, such as `owner_email`. */
  path: string
  message: string
}

/** RFC 9457 problem details, as sent. */
export interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  errors?: FieldError[]
  request_id?: string
}

/** An error with a public message. `cause` is only logged. */
export class Problem extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly errors: FieldError[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    kind: { code: string; status: number; title: string },
    words: {
      detail: string
      errors?: FieldError[] | undefined
      headers?: Record<string, string>
      cause?: unknown
    },
  ) {
    super(`${kind.title}: ${words.detail}`, { cause: words.cause })
    this.name = 'Problem'
    this.code = kind.code
    this.status = kind.status
    this.title = kind.title
    this.detail = words.detail
    this.errors = words.errors
    this.headers = words.headers ?? {}
  }

  document(requestId?: string): ProblemDocument {
    return {
      type: `urn:longhouse:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.detail,
      ...(this.errors ? { errors: this.errors } : {}),
      ...(requestId ? { request_id: requestId } : {}),
    }
  }
}

type Words = ConstructorParameters<typeof Problem>[1]

/**
 * Declares a kind of problem: a stable code, its status, and a constant title. Returns a function that makes the
 * error; its `detail` says what happened and what to do.
 */
export function defineProblem(code: string, status: number, title: string) {
  const make = (detail: string, words: Omit<Words, 'detail'> = {}) =>
    new Problem({ code, status, title }, { detail, ...words })
  return Object.assign(make, { code, status, title })
}

export const badRequest = defineProblem('bad-request', 400, 'The request could not be read')
export const unauthorized = defineProblem('unauthorized', 401, 'Sign-in required')
export const crossSite = defineProblem('cross-site', 403, 'Request from another site refused')
export const notFound = defineProblem('not-found', 404, 'Not found')
export const methodNotAllowed = defineProblem('method-not-allowed', 405, 'Method not allowed')
export const tooSlow = defineProblem('too-slow', 408, 'The request took too long')
export const tooLarge = defineProblem('too-large', 413, 'The request is too large')
export const unsupportedMedia = defineProblem(
  'unsupported-media',
  415,
  'The body has a type that is not understood',
)
export const expectationFailed = defineProblem('expectation-failed', 417, 'The expectation cannot be met')
export const invalid = defineProblem('invalid', 422, 'Some of the input is not valid')
const tooManyTries = defineProblem('too-many-tries', 429, 'Too many failed attempts')
export const headTooLarge = defineProblem('head-too-large', 431, 'The headers are too large')
export const httpVersion = defineProblem('http-version', 505, 'This version of HTTP is not spoken here')
export const overloaded = defineProblem('overloaded', 503, 'Too much was asked at once')
export const diskFull = defineProblem('disk-full', 507, 'The disk is full')
export const internal = defineProblem('internal', 500, 'Something went wrong on our side')

/** The 422 that names each invalid field, and what is valid. */
export function invalidFields(errors: FieldError[]): Problem {
  const detail = errors
    .map(error => (error.path ? `${error.path}: ${error.message}` : error.message))
    .join('; ')
  return invalid(detail, { errors })
}

/** A wait in words: seconds up to a minute and a half, then minutes, rounded up. */
export function waitInWords(seconds: number): string {
  if (seconds === 1) return '1 second'
  return seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
}

/** The 429 with the time to wait. */
export function retryLater(seconds: number): Problem {
  return tooManyTries(`Wait ${waitInWords(seconds)}, then try again.`, {
    headers: { 'Retry-After': String(seconds) },
  })
}
