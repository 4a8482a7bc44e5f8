import assert from 'node:assert/strict'
import { readFileSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { testGroup } from './packages.fixture.ts'

testGroup(
  'native',
  {},
  {
    more: modules => {
      assert.ok(realpathSync(modules).includes(`${sep}packages${sep}`), 'they lie beside the repo')
      // The package has a script in this place, which its own install script replaces by the program.
      const program = readFileSync(join(modules, 'esbuild/bin/esbuild'))
      assert.equal(program.subarray(1, 4).toString(), 'ELF', 'an allowed install script has run')
    },
  },
)
