import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { drivers, testImage } from './longhouse.fixture.ts'

const root = join(import.meta.dirname, '..')
const skip = drivers.find(({ driver }) => driver === 'docker')?.skip ?? false

/** What docs/packages.md promises, and what it says is missing. */
const page = readFileSync(join(root, 'docs/packages.md'), 'utf8')
const section = /## Programs that jobs can call\n([\s\S]*?)\n## /.exec(page)?.[1] ?? ''
const promised = [...section.matchAll(/^\| (`.*?) \| /gm)].flatMap(([, names = '']) => inTicks(names))
const missing = inTicks(/as a package: (.*) are not there/.exec(section)?.[1] ?? '')

function inTicks(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

/** What a shell prints in the image, as the user of an instance, on a root file system that it cannot write. */
function inImage(script: string): string {
  const bounds = ['--rm', '--network=none', '--read-only', '--cap-drop=ALL', '--tmpfs=/tmp']
  return execFileSync('docker', ['run', ...bounds, '--entrypoint=bash', testImage ?? '', '-c', script], {
    encoding: 'utf8',
  })
}

test('the docs list every Debian package that is installed for jobs', () => {
  const lines = readFileSync(join(root, 'docker/debian-packages'), 'utf8').split('\n')
  const [, ...packages] = lines.find(line => line.startsWith('runtime '))?.split(' ') ?? []
  const inWords: Record<string, RegExp> = {
    'ca-certificates': /certificates of public authorities/,
    tzdata: /time zones/,
  }
  for (const name of packages) assert.match(section, inWords[name] ?? new RegExp(`\`${name}\``), name)
  assert.ok(packages.length > 5)
})

test('the programs in the docs start in the image, and the others are not there', { skip }, () => {
  const script = `for each in ${[...promised, ...missing].join(' ')}; do
  command -v $each >/dev/null || { echo "missing $each"; continue; }
  case $each in
    # Debian's awk knows no --version.
    awk) awk 'BEGIN { print 1 }' ;;
    zip | unzip) $each -v ;;
    openssl) openssl version ;;
    *) $each --version ;;
  esac >/tmp/words 2>&1 || echo "$each fails: $(cat /tmp/words)"
done`
  const said = inImage(script)
  assert.deepEqual(said.trim().split('\n').sort(), missing.map(name => `missing ${name}`).sort())
  assert.ok(promised.length > 10 && missing.length > 3)
})

test('the user of an instance has a name, and git commits, packs and unpacks', { skip }, () => {
  const script = `set -e
cd /tmp
whoami
node -p 'os.userInfo().username'
git init --quiet repo
cd repo
echo hello >words
zip -q words.zip words
git add --all
git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message First
git clone --quiet /tmp/repo /tmp/clone
unzip -p /tmp/clone/words.zip
test -s /etc/ssl/certs/ca-certificates.crt`
  assert.deepEqual(inImage(script).trim().split('\n'), ['longhouse', 'longhouse', 'hello'])
})

test('the image has compiled code that fits its runtime, and no container writes it', { skip }, () => {
  const fits = `const { globSync, readFileSync } = require('node:fs')
const [file, ...others] = globSync('/app/compile-cache/runtime.cjs-*.code')
const cachedData = readFileSync(file).subarray(0, -4)
const script = new (require('node:vm').Script)(readFileSync('/app/dist/runtime.cjs', 'latin1'), { cachedData })
console.log(others.length, script.cachedDataRejected)`
  assert.equal(inImage(`node - <<'end'\n${fits}\nend`).trim(), '0 false')
  assert.equal(inImage('touch /app/compile-cache/new 2>/dev/null || echo refused').trim(), 'refused')
})
