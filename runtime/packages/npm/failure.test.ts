import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from './failure.ts'

const npmError = (...lines: string[]) => lines.map(line => `npm error ${line}`).join('\n')

test('temporary failures are distinguished from those the customer has to fix', () => {
  const passing = [
    npmError('code ENOTFOUND', 'request to https://npm.example.com/x failed'),
    npmError('code E500', '500 Internal Server Error - GET https://npm.example.com/x'),
    npmError('code E408', '408 Request Timeout - GET https://npm.example.com/x'),
    npmError('code E429', '429 Too Many Requests - GET https://npm.example.com/x'),
    npmError('code ENOSPC', 'no space left on device, write'),
    npmError('code EDQUOT', 'EDQUOT: disk quota exceeded, write'),
    npmError('code SELF_SIGNED_CERT_IN_CHAIN', 'request to https://npm.example.com/x failed'),
    npmError(
      'code 128',
      "fatal: unable to access 'https://github.com/a/b.git/': Could not resolve host: github.com",
    ),
    npmError(
      'code 128',
      "fatal: unable to access 'https://github.com/a/b.git/': The requested URL returned error: 503",
    ),
  ]
  const lasting = [
    npmError('code E404', "404 'nowhere@1' is not in this registry."),
    npmError('code ETARGET', 'No matching version found for greeting@9.'),
    npmError('code E401', 'Unable to authenticate, https://npm.example.com'),
    npmError('code EINTEGRITY', 'sha512 integrity checksum failed'),
    npmError('code EUSAGE', '`npm ci` can only install packages when they are in sync'),
    npmError('code 128', 'fatal: repository not found'),
    npmError('code 1', 'a script of a package ended with 1'),
  ]
  for (const output of passing) assert.equal(failureOf(output).passing, true, output)
  for (const output of lasting) assert.equal(failureOf(output).passing, false, output)
  const untrusted = failureOf(passing[6] ?? '')
  assert.ok(failureOf(npmError('code EDQUOT')).full)
  assert.equal(untrusted.offline, false, 'the registry is there')
  assert.match(untrusted.message, /^https:\/\/npm\.example\.com answers with a certificate .* cafile=/)
  assert.match(failureOf(passing[7] ?? '').message, /^https:\/\/github\.com does not answer git/)
})

test('an install script that fails is named with its package, and without a path of the host', () => {
  const output = `npm error code 1
npm error path /data/packages/.work/new-J7f/node_modules/@some/native
npm error command failed
npm error command sh -c node-gyp rebuild
npm error gyp ERR! find Python`
  const { message } = failureOf(output)
  assert.match(
    message,
    /^the install script of @some\/native failed: node-gyp rebuild\. It compiles native code/,
  )
  assert.doesNotMatch(message, /\/data/)
})

test('a package for another system is named, with what it wants and what to do', () => {
  const output = npmError(
    'code EBADPLATFORM',
    'notsup Unsupported platform for fsevents@2.3.3: wanted {"os":"darwin","cpu":["x64","arm64"]} (current: {"os":"linux"})',
  )
  const { message, passing } = failureOf(output)
  assert.match(
    message,
    /^fsevents@2\.3\.3 is not for this system, which is \w+-\w+: it wants os darwin, cpu x64 or arm64\. Put it into "optionalDependencies"/,
  )
  assert.equal(passing, false)
})
