import assert from 'node:assert/strict'
import { UnreadableAnswer } from './answer-head.ts'
import { AnswerReader } from './answer-reader.ts'

export interface Reading {
  informed: number[]
  status: number
  headers: string[]
  body: string
  trailers: string[]
  whole: boolean
  reusable: boolean
}

/** Reads the pieces as one connection brings them, closes it, and says what was understood; the fault when nothing was. */
export function read(pieces: readonly Buffer[], method = 'GET'): Reading | string {
  const found: Reading = {
    informed: [],
    status: 0,
    headers: [],
    body: '',
    trailers: [],
    whole: false,
    reusable: false,
  }
  const reader = new AnswerReader(
    {
      information: ({ status }) => void found.informed.push(status),
      switched: () => assert.fail('nothing asked to switch'),
      head: ({ status, headers }) => Object.assign(found, { status, headers }),
      data: chunk => {
        found.body += chunk.toString('latin1')
      },
      end: trailers => Object.assign(found, { trailers, whole: true }),
    },
    method,
  )
  try {
    for (const piece of pieces) reader.read(piece)
    found.reusable = reader.reusable
    reader.close()
    return found
  } catch (error) {
    if (error instanceof UnreadableAnswer) return error.message
    throw error
  }
}

export const bytes = (text: string) => Buffer.from(text, 'latin1')
export const oneByOne = (text: string) => [...bytes(text)].map(byte => Buffer.of(byte))
