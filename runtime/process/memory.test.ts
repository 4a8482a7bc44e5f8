import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapMb, memoryOfRunsMb } from './memory.ts'

test('runs get three quarters of the container’s memory, at most 1024 MiB', () => {
  const ofBox = (mib: number) => memoryOfRunsMb(mib * 1024 * 1024)
  assert.deepEqual([64, 512, 1024, 64 * 1024].map(ofBox), [64, 384, 768, 1024])
})

test('a heap is smaller than its limit by the memory that Node needs beside it', () => {
  assert.deepEqual([64, 128, 384, 1024].map(heapMb), [32, 64, 320, 960])
})
