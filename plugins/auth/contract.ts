import type { AppContext, Guard } from '../../src/http/route.ts'

export interface AuthService {
  /** Lets the operator in: by the admin bearer token, or by the session of a browser that signed in with it. */
  admin: Guard
  /** True for a browser that is signed in, also where nobody has to be. */
  knows(c: AppContext): boolean
  /** The file that keeps the admin token when it was made here; null when the operator gave it. */
  tokenFile: string | null
}

declare module '../../src/plugin.ts' {
  interface Services {
    auth: AuthService
  }
}
