/** The jobs with a public badge. */
export interface BadgesService {
  isPublic(jobId: string): boolean
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    badges: BadgesService
  }
}
