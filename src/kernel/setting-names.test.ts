import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strangeSettings } from './setting-names.ts'

const known = [
  'LONGHOUSE_PORT',
  'LONGHOUSE_DATA_ROOT',
  'RETENTION_DAYS',
  'ROUTER_MODE',
  'SMTP_URL',
  'ADMIN_TOKEN',
]

test('a misspelt setting is reported with the intended name, and never with its value', () => {
  const env = {
    ...{
      LONGHOUSE_PROT: 's3cret',
      RETENTION_DAY: 's3cret',
      LONGHOSE_DATA_ROOT: 's3cret',
      ROUTERMODE: 's3cret',
    },
    ...{ SMTP_ULR: 's3cret', ADMIN_TOKN: 's3cret' },
  }
  const { misspelt, unknown } = strangeSettings(env, known)
  assert.deepEqual(misspelt, [
    'LONGHOUSE_PROT: no setting has this name; did you mean LONGHOUSE_PORT?',
    'RETENTION_DAY: no setting has this name; did you mean RETENTION_DAYS?',
    'LONGHOSE_DATA_ROOT: no setting has this name; did you mean LONGHOUSE_DATA_ROOT?',
    'ROUTERMODE: no setting has this name; did you mean ROUTER_MODE?',
    'SMTP_ULR: no setting has this name; did you mean SMTP_URL?',
    'ADMIN_TOKN: no setting has this name; did you mean ADMIN_TOKEN?',
  ])
  assert.deepEqual(unknown, [])
})

test('an unknown variable with our prefix is reported too; one that is read, empty or another program’s is not', () => {
  const env = {
    ...{ LONGHOUSE_PORT: '1', LONGHOUSE_COLOUR: 'red', LONGHOUSE_DATA_DIR: '/x', INSTANCE_GPU: '' },
    ...{
      PATH: '/bin',
      SMTP_HOST: 'x',
      GOOGLE_APPLICATION_CREDENTIALS: 'x',
      LONGHOUSE_TEST_IMAGE: 'x',
      HOME: '/',
    },
  }
  assert.deepEqual(strangeSettings(env, known), {
    misspelt: [],
    unknown: [
      'LONGHOUSE_COLOUR: no setting has this name, so that it does nothing; the nearest is LONGHOUSE_PORT',
      'LONGHOUSE_DATA_DIR: no setting has this name, so that it does nothing; the nearest is LONGHOUSE_DATA_ROOT',
    ],
  })
})
