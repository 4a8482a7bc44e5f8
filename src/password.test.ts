import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  hashPassword,
  hashRandomPassword,
  isPasswordHash,
  looksLikeHash,
  verifyPassword,
} from './password.ts'

/** From the tests of the reference implementation (P-H-C/phc-winner-argon2, src/test.c). */
const vectors = [
  ['password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['password', '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
  [
    'differentpassword',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94',
  ],
] as const

test('hashes of other programs are accepted', async () => {
  for (const [password, hash] of vectors) {
    assert.ok(isPasswordHash(hash))
    assert.equal(await verifyPassword(password, hash), true, hash)
    assert.equal(await verifyPassword(`${password}.`, hash), false)
  }
})

test('a hash matches its password and no other, and no two hashes are the same', async () => {
  const password = 'pässword ✓ with $ and spaces'
  const [one, two] = await Promise.all([hashPassword(password), hashPassword(password)])
  assert.notEqual(one, two)
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.ok(isPasswordHash(one))
  assert.equal(await verifyPassword(password, one), true)
  for (const wrong of ['', 'pässword', `${password} `, one]) {
    assert.equal(await verifyPassword(wrong, one), false, wrong)
  }
})

test('a foreign hash format is recognised, and matches nothing', async () => {
  const salt = 'c29tZXNhbHQ'
  const tag = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  const wrong = [
    '$2b$10$abcdefghijklmnopqrstuv',
    `$argon2i$v=19$m=256,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=16$m=256,t=2,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=256,t=2,p=0$${salt}$${tag}`,
    `$argon2id$v=19$m=256,t=0,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=256,t=4000000,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=7,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=9999999,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=256,t=2,p=1$${salt}$${tag}==`,
    `$argon2id$v=19$m=256,t=2,p=1$${salt}$short`,
    `$argon2id$v=19$m=256,t=2,p=1$${salt}ab$${tag}`,
    `$argon2id$v=19$m=256,t=2,p=1$${tag}`,
  ]
  for (const hash of wrong) {
    assert.equal(isPasswordHash(hash), false, hash)
    assert.equal(looksLikeHash(hash), true, hash)
    assert.equal(await verifyPassword('password', hash), false)
  }
  for (const password of ['hunter2', '$5 a day', 'a$argon2id$x', '', '$$']) {
    assert.equal(looksLikeHash(password), false, password)
    assert.equal(await verifyPassword(password, password), false)
  }
})

test('a random password is hashed at a fraction of the cost, and checked the same way', async () => {
  const hash = await hashRandomPassword('k3m8p-x7w2q-9r4tz-hc5nv')
  assert.match(hash, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/)
  assert.ok(isPasswordHash(hash))
  assert.equal(await verifyPassword('k3m8p-x7w2q-9r4tz-hc5nv', hash), true)
  assert.equal(await verifyPassword('k3m8p-x7w2q-9r4tz-hc5nw', hash), false)
})
