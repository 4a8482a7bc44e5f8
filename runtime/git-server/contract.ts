/** `jobs.git`: the jobs repo for people’s own git. */
export interface GitServerService {
  /** The address to clone from and to push to, without credentials. */
  url: string
  /** Why this instance cannot be cloned; null if it can. */
  fault: string | null
  /** Which of these commits were the head of a push, and whose. */
  pushed(commits: readonly string[]): ReadonlyMap<string, Pushed>
}

export interface Pushed {
  /** The name of the API token. */
  token: string | null
  at: number
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    'git-server': GitServerService
  }
}
