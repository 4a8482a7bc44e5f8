import OpenAI from 'openai'
import { startHttp } from '../servers/http'

const piece = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`

/** An answer as a whole, one as a stream, and a refusal. */
export async function run() {
  const { url, asked, stop } = await startHttp(({ body }) => {
    const { stream, model } = JSON.parse(body)
    if (model === 'none')
      return { status: 404, body: '{"error":{"message":"no such model","code":"model_not_found"}}' }
    if (stream)
      return { type: 'text/event-stream', body: `${piece('Good ')}${piece('morning')}data: [DONE]\n\n` }
    return { body: '{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"}}]}' }
  })
  const openai = new OpenAI({ apiKey: 'key', baseURL: `${url}/v1`, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Greet me' }]
  const whole = await openai.chat.completions.create({ model: 'any', messages })
  let streamed = ''
  for await (const { choices } of await openai.chat.completions.create({
    model: 'any',
    messages,
    stream: true,
  }))
    streamed += choices[0]?.delta.content ?? ''
  const refused = await openai.chat.completions
    .create({ model: 'none', messages })
    .catch(error => [error.constructor.name, error.status, error.code])
  stop()
  return { whole: whole.choices[0]?.message.content, streamed, refused, key: asked[0]?.headers.authorization }
}
