/**
 * The commands' side of the control API: one request to the ipvigil that runs here, and its answer; a refusal becomes the
 * error that the command ends with.
 */
import { request, STATUS_CODES } from 'node:http';
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
/** Who only asks how it stands has the journal as well, and would rather read it than wait. */
const standingWaitMs = 2_000;

/** @throws OperatorError `not-running`, `not-found`, `usage`, `privileges` or `failure`. */
export function command<V extends ControlVerb>(
	runtimeDirectory: string,
	verb: V,
	body: ControlRequest<V>,
): Promise<Answers[V]> {
	const question = { path: `/v1/${verb}`, body: JSON.stringify(body), waitMs: answerWaitMs };
	return ask(runtimeDirectory, question) as Promise<Answers[V]>;
}

/** @throws OperatorError as `command`. */
export function askDestination(
	runtimeDirectory: string,
	name: string,
	waitMs = standingWaitMs,
): Promise<DestinationAnswer> {
	const question = { path: `/v1/destinations/${encodeURIComponent(name)}`, waitMs };
	return ask(runtimeDirectory, question) as Promise<DestinationAnswer>;
}

interface Question {
	path: string;
	/** Posted, where there is one. */
	body?: string;
	waitMs: number;
}

async function ask(runtimeDirectory: string, question: Question): Promise<unknown> {
	const { status, answer } = await exchange(controlSocket(runtimeDirectory), question).catch((error) => {
		throw cannotAsk(runtimeDirectory, error as NodeJS.ErrnoException);
	});
	if (status === 200 && answer !== undefined) return answer;
	const bare = `The ipvigil that runs here answered only "${status} ${STATUS_CODES[status]}".`;
	const { error = bare, next }: { error?: string; next?: string } = answer ?? {};
	throw new OperatorError(kindOfStatus[status] ?? 'failure', error, next);
}

const kindOfStatus: Record<number, Exclude<ExitKind, 'ok'>> = {
	400: 'usage',
	404: 'not-found',
	409: 'usage',
	413: 'usage',
	/** A name so long that the server reads no further; there is no sentence in it. */
	431: 'usage',
};

function cannotAsk(runtimeDirectory: string, { code, message }: NodeJS.ErrnoException): OperatorError {
	if (code === 'ENOENT' || code === 'ECONNREFUSED')
		return new OperatorError('not-running', `No ipvigil runs with the runtime directory ${runtimeDirectory}.`);
	const kind = code === 'EACCES' || code === 'EPERM' ? 'privileges' : 'failure';
	return new OperatorError(kind, `The ipvigil that runs here cannot be asked: ${message}.`);
}

/** `answer` is undefined where the body is no JSON: a server that reads a request no further says so by its status alone. */
interface Exchanged {
	status: number;
	answer: object | undefined;
}

function exchange(socketPath: string, { path, body, waitMs }: Question): Promise<Exchanged> {
	return new Promise((resolve, reject) => {
		const method = body === undefined ? 'GET' : 'POST';
		const signal = AbortSignal.timeout(waitMs);
		const failed = (error: Error) =>
			reject(signal.aborted ? new Error(`it has not answered within ${waitMs / 1_000} s`) : error);
		const sent = request({ socketPath, path, method, signal, agent: false }, (response) => {
			text(response)
				.then((answer) => resolve({ status: response.statusCode ?? 0, answer: parsed(answer) }))
				.catch(failed);
		});
		sent.once('error', failed);
		sent.end(body);
	});
}

function parsed(answer: string): object | undefined {
	try {
		const value: unknown = JSON.parse(answer);
		return typeof value === 'object' && value !== null ? value : undefined;
	} catch {
		return undefined;
	}
}
