/** `jobs.git`: the jobs repo for people’s own git. */
export interface GitServerService {
  /** The address to clone from and to push to, without credentials. */
  url: string
  /** Why this instance cannot be cloned; null if it can. */
  fault: string | null
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    'git-server': GitServerService
  }
}
