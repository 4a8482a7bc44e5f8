/**
 * Decimals of the amounts in Stripe's API, by https://docs.stripe.com/currencies; all others have two. They are not those
 * of `Intl`, which follows what people write: ISK, HUF, UGX, COP, IDR and PKR have two at Stripe and none there.
 */
const decimals = new Map([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA'].map(code => [code, 0] as const),
  ...['PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'].map(code => [code, 0] as const),
  ...['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map(code => [code, 3] as const),
])

/** An amount as Stripe counts it, in the currency's smallest unit there, for a person: `€9.00`. */
export function moneyWords(amount: number, currency: string): string {
  const code = currency.toUpperCase()
  const digits = decimals.get(code) ?? 2
  const value = amount / 10 ** digits
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  // What is no code of a currency would be an error in `Intl`; the amount is worth more than its looks.
  return /^[A-Z]{3}$/.test(code)
    ? new Intl.NumberFormat('en', { ...format, style: 'currency', currency: code }).format(value)
    : `${new Intl.NumberFormat('en', format).format(value)} ${code}`.trim()
}
