import type { RepoStatus } from '../../../runtime/repo/contract.ts'
import { Panel } from '../../components/panel.tsx'

const words = {
  submodule: 'A submodule. It is not fetched, so its folder is empty here.',
  lfs: 'A Git LFS pointer. It is not fetched, so the file holds three lines instead of its content.',
  packages: 'Committed packages are not used: packages are installed from package.json.',
  name: 'Git reads this name as .git on some systems. Rename it to get it committed.',
  environment:
    'A file of secrets. Jobs can read it here. List it in .gitignore, and keep what must not be lost as secrets of the instance.',
  repository: 'A git repository of its own, so its files are not committed here. Name it in .gitignore.',
} as const

/** Paths that are only in git or only in the files, with the reason. Renders nothing if there are none. */
export function LeftOut({ repo }: { repo: RepoStatus }) {
  const { notFetched, notCommitted } = repo
  return (
    <>
      {notFetched.length > 0 ? (
        <Panel title="In git only">
          <List of={notFetched} />
          <p class="fine">Commits made here do not change them.</p>
        </Panel>
      ) : null}
      {notCommitted.length > 0 ? (
        <Panel title="Never committed">
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
