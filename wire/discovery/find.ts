import type { NatsConnection } from '../nats/connection.ts';
import { findServices } from '../nats/services.ts';
import { type FoundTarget, targetOf, targetServiceName } from './target-listing.ts';
import { type FoundTeacher, teacherOf, teacherServiceName } from './teacher-listing.ts';
import { type FoundTrainer, trainerOf, trainerServiceName } from './trainer-listing.ts';

/**
 * The teachers that answer now, by name and address.
 *
 * @throws FuseMeshError unavailable when NATS does not answer
 */
export async function findTeachers(connection: NatsConnection): Promise<FoundTeacher[]> {
  const found = (await findServices(connection, teacherServiceName)).flatMap((one) => teacherOf(one) ?? []);
  return found.sort((a, b) => compare(a.teacher, b.teacher) || compare(a.address, b.address));
}

/**
 * The trainers that answer now, by run.
 *
 * @throws FuseMeshError unavailable when NATS does not answer
 */
export async function findTrainers(connection: NatsConnection): Promise<FoundTrainer[]> {
  const found = (await findServices(connection, trainerServiceName)).flatMap((one) => trainerOf(one) ?? []);
  return found.sort((a, b) => compare(a.run, b.run) || compare(a.address, b.address));
}

/**
 * The target services that answer now, by run and address: those of one run serve the same weights, some sooner.
 *
 * @throws FuseMeshError unavailable when NATS does not answer
 */
export async function findTargets(connection: NatsConnection): Promise<FoundTarget[]> {
  const found = (await findServices(connection, targetServiceName)).flatMap((one) => targetOf(one) ?? []);
  return found.sort((a, b) => compare(a.run, b.run) || compare(a.address, b.address));
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
