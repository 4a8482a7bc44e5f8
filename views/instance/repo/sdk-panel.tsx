import type { NamedSdk, SdkState } from '../../../runtime/sdk/contract.ts'
import { Panel } from '../../components/panel.tsx'

/** The npm package for clones of the jobs repo, and how `package.json` comes to name it. */
export function SdkPanel({ sdk: { address, named } }: { sdk: SdkState }) {
  return (
    <Panel title="Work on your computer" id="sdk">
      <div class="stack">
        {address === null ? <WithoutAddress /> : <Install address={address} named={named} />}
        <p class="fine">
          The package <code>longhouse</code> knows the types of <code>longhouse/jobs</code>, and checks and
          runs jobs on your machine: <code>npx longhouse check</code>, <code>list</code>, <code>next</code>,{' '}
          <code>run</code>, <code>push</code>, <code>logs -f</code>. It needs Node 26.
        </p>
      </div>
    </Panel>
  )
}

const states: Record<NamedSdk, string> = {
  current: 'package.json names this instance’s package: run npm install in a clone.',
  older:
    'package.json names an older version, which this instance still serves. To update, run this in a clone:',
  elsewhere:
    'package.json names a package at another address. If npm cannot reach it, run this in a clone, and commit both changed files:',
  lacks:
    'package.json names a version that this instance does not have, so npm install fails. Run this in a clone, and commit both changed files:',
  none: 'package.json does not name the package. To add it, run this in a clone, and commit the changed files:',
}

function Install({ address, named }: { address: string; named: NamedSdk }) {
  const install = `npm install --save-dev --allow-remote=root ${address}`
  return (
    <>
      <p>{states[named]}</p>
      <pre class="code">{named === 'current' ? 'npm install' : install}</pre>
      {new URL(address).hostname.endsWith('.localhost') ? <LocalName address={address} /> : null}
      {named === 'current' ? null : (
        <p class="fine">
          npm 12 and newer install a package from an address only with the line <code>allow-remote=root</code>{' '}
          in <code>.npmrc</code> of the repo. Older versions ignore it.
        </p>
      )}
    </>
  )
}

/** Browsers, git and curl know these names themselves; npm asks the system. */
function LocalName({ address }: { address: string }) {
  return (
    <p class="fine">
      If npm says <code>ENOTFOUND</code>, your system does not know names below <code>localhost</code>. Add
      this line to <code>/etc/hosts</code>: <code>127.0.0.1 {new URL(address).hostname}</code>
    </p>
  )
}

function WithoutAddress() {
  return (
    <p>
      This instance does not know its public address, so <code>package.json</code> cannot name its package.
      The operator sets <code>LONGHOUSE_PUBLIC_URL</code>.
    </p>
  )
}
