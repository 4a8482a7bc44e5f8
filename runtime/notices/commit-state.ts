/** GitHub's names; see `forge.ts` for GitLab's. */
export const commitStates = ['success', 'failure', 'pending'] as const
export type CommitState = (typeof commitStates)[number]
