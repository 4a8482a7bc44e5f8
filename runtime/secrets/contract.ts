import type { Secrets, SecretUser } from './secrets.ts'

export type { SecretInfo } from './secrets.ts'

/** The named secrets that jobs get. */
export type SecretsService = Secrets

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    secrets: SecretsService
  }
  interface Hooks {
    /** The jobs and the secrets they declare, for the page of the secrets. */
    'secret-users': () => Iterable<SecretUser>
  }
}
