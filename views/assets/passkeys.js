// Passkeys: browsers offer them to scripts alone. A form with `data-passkey` is shown where the browser can do it. Sending it
// asks for the options, lets the browser make or use a passkey, and puts its answer into the form's field.
import { browserSupportsWebAuthn, startAuthentication, startRegistration } from '@simplewebauthn/browser'

const act = { make: startRegistration, use: startAuthentication }

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!browserSupportsWebAuthn()) continue
  form.hidden = false
  form.addEventListener('submit', async event => {
    event.preventDefault()
    const error = form.querySelector('[data-passkey-error]')
    error.hidden = true
    try {
      form.elements.credential.value = JSON.stringify(
        await act[form.dataset.passkey]({ optionsJSON: await options(form) }),
      )
      // Without another event: this one has done its work.
      form.submit()
    } catch (problem) {
      error.textContent = words(problem)
      error.hidden = false
    }
  })
}

async function options(form) {
  const code = form.elements.code?.value
  const answer = await fetch(form.dataset.options, {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify(code === undefined ? {} : { code }),
  })
  const body = await answer.json()
  if (answer.ok) return body
  if (body.type === 'urn:longhouse:problem:sign-in-again') {
    location.assign(`/login?again=1&next=${encodeURIComponent(location.pathname)}`)
  }
  throw Object.assign(new Error(body.detail), { isOurs: true })
}

function words({ name, message, isOurs }) {
  if (isOurs) return message
  if (name === 'NotAllowedError' || name === 'AbortError')
    return 'It was cancelled, or took too long. Try again.'
  if (name === 'InvalidStateError') return 'This device has a passkey for you already.'
  return `The browser could not do it: ${message}`
}
