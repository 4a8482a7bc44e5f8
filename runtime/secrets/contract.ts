import type { Secrets, SecretUser } from './secrets.ts'

export type { SecretInfo } from './secrets.ts'

/** The named secrets that jobs get. */
export type SecretsService = Secrets

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    secrets: SecretsService
  }
  interface Hooks {
    /** The jobs, as far as secrets go: the page of the secrets says which job wants which. */
    'secret-users': () => Iterable<SecretUser>
  }
}
