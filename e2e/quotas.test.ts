import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { noGuest, runInGuest } from './guest.fixture.ts'

const root = join(import.meta.dirname, '..')

/** A disk with XFS and one with ext4, both with quotas of projects. */
const script = `set -e
export NO_COLOR=1 TMPDIR=/run/tmp PATH=$PATH:/usr/sbin
mkdir -m 1777 /run/tmp
mkdir /run/repo /run/xfs /run/ext4
# Whoever may not enter the folders above the repo still reads it here.
mount --bind ${root} /run/repo
mkfs.xfs -q /dev/vda
mkfs.ext4 -q -O project,quota -E lazy_itable_init=1 /dev/vdb
mount -o prjquota /dev/vda /run/xfs
mount -o prjquota /dev/vdb /run/ext4
cd /run/repo
node=$(readlink -f node_modules/.bin/node)
exec \${node/#"${root}"/\\/run\\/repo} --disable-warning=ExperimentalWarning --test-reporter=spec --test-force-exit e2e/quotas-guest.fixture.ts
`

test('quotas of XFS and ext4 stop a job that writes without end, and nothing but its instance', {
  skip: noGuest,
  timeout: 600_000,
}, async t => {
  const { code, text } = await runInGuest(t, { script, disks: [1024, 512] })
  assert.equal(code, 0, text)
  assert.match(text, /^✔ a job writes without end/m)
})
