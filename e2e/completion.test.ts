import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { programRoot } from '../src/root.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { startLonghouse } from './longhouse.fixture.ts'

interface Shell {
  name: string
  skip: string | false
  /** Prints what Tab at the end of the line would offer. */
  script: string
}

const shells: Shell[] = [
  {
    name: 'bash',
    skip: false,
    // As readline does it: words split at its word breaks.
    script: `source <(longhouse completion bash)
complete -p longhouse >/dev/null
COMP_LINE="$LINE" COMP_POINT=\${#LINE}
_longhouse
printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  {
    name: 'zsh',
    skip: spawnSync('zsh', ['--version']).error ? 'needs zsh: apt-get install zsh' : false,
    script: `compdef() { [[ "$*" == "_longhouse longhouse" ]] }
compadd() { shift; print -rl -- "\${(@P)1}" }
_files() { print files }
source <(longhouse completion zsh)
words=("\${(@s: :)LINE}") CURRENT=\${#words}
_longhouse`,
  },
]

/** A folder for PATH with the built command. */
function withCommand(t: TestContext): string {
  const bin = join(temporaryFolder(t), 'bin')
  mkdirSync(bin)
  const file = join(bin, 'longhouse')
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${programRoot('dist/longhouse.js')}' "$@"\n`)
  chmodSync(file, 0o755)
  return bin
}

for (const { name, skip, script } of shells) {
  test(`${name} completes commands, options, values and names of instances`, { skip }, async t => {
    const { port, token, provision } = await startLonghouse(t, { driver: 'process' })
    await Promise.all([provision('acme'), provision('acorn')])
    const bin = withCommand(t)
    const offered = (LINE: string, env: Record<string, string> = {}) => {
      const { stdout, stderr } = spawnSync(name, [name === 'zsh' ? '-f' : '--norc', '-c', script], {
        encoding: 'utf8',
        env: {
          PATH: `${bin}:${process.env.PATH}`,
          HOME: bin,
          LONGHOUSE_URL: `http://control.localhost:${port}`,
          LONGHOUSE_TOKEN: token,
          LINE,
          ...env,
        },
      })
      assert.equal(stderr, '', LINE)
      return stdout.trim().split('\n')
    }
    assert.deepEqual(offered('longhouse inst'), ['instances', 'instance'])
    assert.deepEqual(offered('longhouse sta'), ['start'])
    assert.ok(offered('longhouse ').length > 25)
    assert.deepEqual(offered('longhouse instances --be'), ['--behind'])
    assert.deepEqual(offered('longhouse start --w'), ['--wait'])
    assert.deepEqual(offered('longhouse start ac'), ['acme', 'acorn'])
    assert.deepEqual(offered('longhouse upgrade --image x aco'), ['acorn'])
    assert.deepEqual(offered('longhouse audit --export '), ['jsonl', 'csv'])
    assert.deepEqual(offered('longhouse logs -f ac'), ['acme', 'acorn'])
    assert.deepEqual(offered('longhouse tokens re'), ['revoke'])
    assert.deepEqual(offered('longhouse tokens create x --role o'), ['operate', 'own'])
    assert.deepEqual(offered('longhouse completion '), ['bash', 'zsh'])
    const nothing = name === 'zsh' ? ['files'] : ['']
    assert.deepEqual(offered('longhouse create ac'), nothing, 'a new name is none of the existing ones')
    const closed = { LONGHOUSE_URL: 'http://127.0.0.1:1' }
    assert.deepEqual(offered('longhouse start ac', closed), nothing, 'without an answer, nothing')
  })
}
