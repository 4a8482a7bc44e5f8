import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A passkey in software, with the few CBOR that WebAuthn needs of it. */
export function softwarePasskey(origin: string, id: Buffer = randomBytes(16)) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const hash = (data: string | Buffer) => createHash('sha256').update(data).digest()
  const about = (site: string, flags: number) => Buffer.concat([hash(site), Buffer.from([flags, 0, 0, 0, 0])])
  const client = (type: string, challenge: string) => Buffer.from(JSON.stringify({ type, challenge, origin }))
  const answer = (response: Record<string, Buffer>) => {
    const texts = Object.entries(response).map(([name, bytes]) => [name, bytes.toString('base64url')])
    const name = id.toString('base64url')
    return JSON.stringify({
      ...{ id: name, rawId: name, type: 'public-key', clientExtensionResults: {} },
      response: Object.fromEntries(texts),
    })
  }
  return {
    id,
    /** Answers the options that make a passkey. */
    make: (options: { challenge: string; rp: { id: string } }): string => {
      const point = (text: string) => bytes(Buffer.from(text, 'base64url'))
      const key = [head(5, 5), head(0, 1), head(0, 2), head(0, 3), head(1, 6), head(1, 0), head(0, 1)]
      const cose = Buffer.concat([...key, head(1, 1), point(x), head(1, 2), point(y)])
      const length = Buffer.from([id.length >> 8, id.length & 255])
      const data = Buffer.concat([about(options.rp.id, 0x45), Buffer.alloc(16), length, id, cose])
      return answer({
        clientDataJSON: client('webauthn.create', options.challenge),
        attestationObject: Buffer.concat([
          ...[head(5, 3), text('fmt'), text('none'), text('attStmt'), head(5, 0)],
          ...[text('authData'), bytes(data)],
        ]),
      })
    },
    /** Answers the options of a sign-in. */
    use: (options: { challenge: string; rpId: string }): string => {
      const authenticatorData = about(options.rpId, 0x05)
      const clientDataJSON = client('webauthn.get', options.challenge)
      const signature = sign('sha256', Buffer.concat([authenticatorData, hash(clientDataJSON)]), privateKey)
      return answer({ clientDataJSON, authenticatorData, signature })
    },
  }
}

/** The head of a CBOR item (RFC 8949, 3). */
function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 256) return Buffer.from([(major << 5) | 24, value])
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255])
}
const bytes = (content: Buffer) => Buffer.concat([head(2, content.length), content])
const text = (content: string) => Buffer.concat([head(3, content.length), Buffer.from(content)])
