import { credentials, makeClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

const HealthClient = makeClientConstructor(service, 'grpc.health.v1.Health');

type Status = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
interface Answer {
  readonly status: Status;
}

/** A service's health as a monitor asks for it. @param name '' is the whole server */
export async function askHealth(address: string, name = ''): Promise<Status> {
  const client = new HealthClient(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client['check']({ service: name }, (error: ServiceError | null, answer: Answer) => {
        if (error) reject(error);
        else resolve(answer.status);
      });
    });
  } finally {
    client.close();
  }
}

/** Reports a server's health from now on, until the server ends the stream; returns how it ended. */
export async function watchHealth(address: string, onStatus: (status: Status) => void): Promise<string> {
  const client = new HealthClient(address, credentials.createInsecure());
  const call = client['watch']({ service: '' });
  call.on('data', ({ status }: Answer) => onStatus(status));
  try {
    return await new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve(error.details));
      call.on('end', () => resolve('done'));
    });
  } finally {
    client.close();
  }
}
