import { Panel } from '../components/panel.tsx'
import type { RepoView } from './shapes.ts'

const words = {
  submodule: 'Submodule, not fetched: its folder is empty here.',
  lfs: 'Git LFS pointer, not fetched: the file holds three lines instead of its content.',
  packages: 'Committed packages, not used: packages are installed from package.json.',
  name: 'A name that git takes for .git on some systems. Rename it to have it committed.',
  repository: 'A git repository of its own. Commit and push it from there.',
} as const

/** Paths that git and the files do not share, and why. Nothing when there are none. */
export function LeftOut({ repo }: { repo: RepoView }) {
  const { notFetched, notCommitted } = repo
  return (
    <>
      {notFetched.length > 0 ? (
        <Panel title="In git, not in the files">
          <List of={notFetched} />
          <p class="fine">They stay in git as they are: commits made here do not touch them.</p>
        </Panel>
      ) : null}
      {notCommitted.length > 0 ? (
        <Panel title="In the files, never committed">
          <List of={notCommitted} />
        </Panel>
      ) : null}
    </>
  )
}

function List({ of }: { of: readonly { path: string; kind: keyof typeof words }[] }) {
  return (
    <ul class="how">
      {of.map(({ path, kind }) => (
        <li>
          <code>{path}</code> {words[kind]}
        </li>
      ))}
    </ul>
  )
}
