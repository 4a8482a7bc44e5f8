/** As GitHub names them; see `forge.ts` for what GitLab calls them. */
export const commitStates = ['success', 'failure', 'pending'] as const
export type CommitState = (typeof commitStates)[number]
