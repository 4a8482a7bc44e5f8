import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { drivers, testImage } from './longhouse.fixture.ts'

const skip = drivers.find(({ driver }) => driver === 'docker')?.skip ?? false
const image = testImage?.replace('longhouse-runtime', 'longhouse-control-plane') ?? ''

function inImage(...args: string[]) {
  const bounds = ['--rm', '--network=none', '--read-only', '--cap-drop=ALL', '--tmpfs=/tmp']
  return spawnSync('docker', ['run', ...bounds, image, ...args], { encoding: 'utf8' })
}

test('the image of the control plane has the command, its package, and the program that restores a host', {
  skip,
}, () => {
  const help = inImage('longhouse', 'instances', '--help')
  assert.equal(help.status, 0, help.stderr)
  assert.match(help.stdout, /^Usage: longhouse instances/)
  const before = inImage('longhouse', 'overview')
  assert.equal(before.status, 1)
  assert.match(before.stderr, /it is not known which control plane this is about/)
  assert.match(inImage('ls', '/app/dist/npm').stdout, /^longhouse-.*\.tgz$/m)
  const restore = inImage('longhouse', 'restore', '/mnt/store')
  assert.equal(restore.status, 1)
  assert.match(restore.stderr, /BACKUP_PASSWORD_FILE: put the password of the store/)
})
