/**
 * The commands' side of the control API: one request to the ipvigil that runs here, and its answer; a refusal becomes the
 * error that the command ends with.
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type ControlRequest, type ControlVerb, controlSocket } from '../report/control.js';
import type { DestinationAnswer, HoldAnswer, ReleaseAnswer, ResumeAnswer } from './control.js';
import { type ExitKind, OperatorError } from './errors.js';

interface Answers {
	release: ReleaseAnswer;
	hold: HoldAnswer;
	resume: ResumeAnswer;
}

/** The daemon answers within a step of its loop; a machine in trouble may need a few seconds. */
const answerWaitMs = 10_000;

/** @throws OperatorError `not-running`, `not-found`, `usage`, `privileges` or `failure`. */
export function command<V extends ControlVerb>(
	runtimeDirectory: string,
	verb: V,
	body: ControlRequest<V>,
): Promise<Answers[V]> {
	return ask(runtimeDirectory, `/v1/${verb}`, JSON.stringify(body)) as Promise<Answers[V]>;
}

/** @throws OperatorError as `command`. */
export function askDestination(runtimeDirectory: string, name: string): Promise<DestinationAnswer> {
	return ask(runtimeDirectory, `/v1/destinations/${encodeURIComponent(name)}`) as Promise<DestinationAnswer>;
}

async function ask(runtimeDirectory: string, path: string, body?: string): Promise<unknown> {
	const { status, answer } = await exchange(controlSocket(runtimeDirectory), path, body).catch((error) => {
		throw cannotAsk(runtimeDirectory, error as NodeJS.ErrnoException);
	});
	if (status === 200) return answer;
	const { error = `ipvigil answered with ${status}`, next } = answer as { error?: string; next?: string };
	throw new OperatorError(kindOfStatus[status] ?? 'failure', error, next);
}

const kindOfStatus: Record<number, Exclude<ExitKind, 'ok'>> = {
	400: 'usage',
	404: 'not-found',
	409: 'usage',
	413: 'usage',
};

function cannotAsk(runtimeDirectory: string, { code, message }: NodeJS.ErrnoException): OperatorError {
	if (code === 'ENOENT' || code === 'ECONNREFUSED')
		return new OperatorError('not-running', `No ipvigil runs with the runtime directory ${runtimeDirectory}.`);
	const kind = code === 'EACCES' || code === 'EPERM' ? 'privileges' : 'failure';
	return new OperatorError(kind, `The ipvigil that runs here cannot be asked: ${message}.`);
}

function exchange(socketPath: string, path: string, body?: string): Promise<{ status: number; answer: unknown }> {
	return new Promise((resolve, reject) => {
		const method = body === undefined ? 'GET' : 'POST';
		const signal = AbortSignal.timeout(answerWaitMs);
		const sent = request({ socketPath, path, method, signal, agent: false }, (response) => {
			text(response)
				.then((answer) => resolve({ status: response.statusCode ?? 0, answer: JSON.parse(answer) as unknown }))
				.catch(reject);
		});
		sent.once('error', (error) => {
			reject(signal.aborted ? new Error(`it has not answered within ${answerWaitMs / 1_000} s`) : error);
		});
		sent.end(body);
	});
}
