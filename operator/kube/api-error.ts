/** What an API server refused, with its status code; codes decide what happens next. */

export class ApiError extends Error {
  /** HTTP status, 0 when there was no answer at all. */
  readonly code: number;

  constructor(code: number, text: string) {
    super(`${code === 0 ? 'no answer' : code}: ${messageIn(text)}`);
    this.name = 'ApiError';
    this.code = code;
  }
}

/** Any thrown value as an ApiError; errors of the network get code 0. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code, body, message } = (error ?? {}) as {
    code?: unknown;
    body?: unknown;
    message?: string;
  };
  if (typeof code === 'number') {
    return new ApiError(code, typeof body === 'string' ? body : JSON.stringify(body ?? ''));
  }
  const cause = (error as { cause?: { message?: string } })?.cause?.message;
  return new ApiError(0, [message ?? String(error), cause].filter(Boolean).join(': '));
}

/** Whether an error is an answer of the server with this status. */
export function isStatus(error: unknown, code: number): boolean {
  return error instanceof ApiError && error.code === code;
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: string };
    return message ?? text;
  } catch {
    return text.slice(0, 500);
  }
}
