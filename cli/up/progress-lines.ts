import colors from 'picocolors';
import type { RunProgress, TeacherProgress, TrainerProgress } from './progress.ts';

type Paint = ReturnType<typeof colors.createColors>;

const barCells = 24;
const paceCells = 'waits for the trainer'.length;

/** The live view of a run: several lines that are drawn over one another. */
export function progressView(run: string, progress: RunProgress, paint: Paint = colors): string {
  const { fed, teachers, trainer, seconds } = progress;
  const width = Math.max(7, ...teachers.map(({ name }) => name.length));
  const row = (name: string, rest: string) => `  ${name.padEnd(width)}  ${rest}`;
  const lines = [
    `${paint.bold(`run ${run}`)}  ${paint.dim(duration(seconds))}`,
    row('corpus', fed ? `${fed.published} of ${fed.total} documents published` : 'counting …'),
    ...teachers.map((teacher) => row(teacher.name, teacherText(teacher, paint))),
    row('trainer', trainer ? trainerText(trainer) : 'waiting for the first documents …'),
  ];
  if (trainer) {
    const { loss, causalLoss, fusionLoss } = trainer;
    lines.push(
      row('', `loss ${loss.toFixed(4)}  (text ${causalLoss.toFixed(4)}, fusion ${fusionLoss.toFixed(4)})`),
      row('', `${bar(trainer, paint)} step ${trainer.step} of ${trainer.stepsTotal}${timeLeft(trainer)}`),
    );
  }
  return lines.join('\n');
}

/** The same on one line, for a log. */
export function progressLine(progress: RunProgress): string {
  const { fed, teachers, trainer, seconds } = progress;
  const parts = [duration(seconds)];
  if (trainer) {
    parts.push(
      `step ${trainer.step}/${trainer.stepsTotal}`,
      `loss ${trainer.loss.toFixed(4)}`,
      `trainer ${rate(trainer.tokensPerSecond)}`,
      `joined ${trainer.documents}, waiting ${trainer.documentsWaiting}`,
    );
  } else {
    parts.push(fed ? `published ${fed.published}/${fed.total}` : 'counting the corpus');
  }
  for (const { name, tokensPerSecond, waitingForRoom } of teachers) {
    parts.push(`${name} ${waitingForRoom ? 'waits for the trainer' : rate(tokensPerSecond)}`);
  }
  if (trainer) parts.push(timeLeft(trainer).replace(/^, /, ''));
  return parts.filter((part) => part !== '').join(' | ');
}

function teacherText(teacher: TeacherProgress, paint: Paint): string {
  const scored = `${teacher.documentsScored} documents scored`;
  const pace = teacher.waitingForRoom
    ? paint.yellow('waits for the trainer')
    : rate(teacher.tokensPerSecond).padStart(paceCells);
  return `${pace}  ${scored}`;
}

function trainerText({ tokensPerSecond, documents, documentsWaiting }: TrainerProgress): string {
  return `${rate(tokensPerSecond).padStart(paceCells)}  ${documents} documents joined, ${documentsWaiting} waiting`;
}

function bar({ step, stepsTotal }: TrainerProgress, paint: Paint): string {
  const full = stepsTotal === 0 ? 0 : Math.min(barCells, Math.round((barCells * step) / stepsTotal));
  return paint.cyan('█'.repeat(full)) + paint.dim('░'.repeat(barCells - full));
}

const timeLeft = ({ secondsLeft }: TrainerProgress): string =>
  secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`;

const rate = (tokensPerSecond: number): string =>
  `${Math.round(tokensPerSecond).toLocaleString('en-US')} tokens/s`;

/** 75 → "1:15". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = (whole % 60).toString().padStart(2, '0');
  return hours > 0 ? `${hours}:${minutes.toString().padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
