/** Which jobs show a badge to anybody. */
export interface BadgesService {
  isPublic(jobId: string): boolean
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    badges: BadgesService
  }
}
