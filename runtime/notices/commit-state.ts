/** As GitHub names them; see `forge.ts` for what GitLab calls them. */
export type CommitState = 'success' | 'failure' | 'pending'
