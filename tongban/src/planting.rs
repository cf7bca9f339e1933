//! Planting (预置办件): the weeks before a demo opens are lived through, so that whoever comes in finds cities at work.
//!
//! Everything is done by the acts that people and officers have, in real nodes over their real line; only time is the
//! planting's. Nobody in it is real. Invariants: a folder is planted once, before its door opens; a planting that did
//! not come to its end is thrown away at the next start; `serve` never plants.

mod deeds;
mod plan;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tb_base::{Actor, Calendar, CaseId, Ctx, Fault, NodeId, Result, Timestamp};
use tb_identity::accounts;
use tb_licence::seed::{CATEGORIES, Qualification, qualifications};
use tb_store::{Tx, jobs, log, outbox};
use tokio::task::JoinHandle;

use crate::city::City;
use crate::clock::StagedClock;
use crate::modules;

use plan::{Planned, Way};

/// The seed number of the shipped planting.
pub const SEED: u64 = 20_260_907;
/// The register is taken over so many working days before the first case.
const DAYS_BEFORE: u32 = 2;
/// Officers begin at half past nine.
const MORNING_SECONDS: i64 = 1_800;
/// What happens on the day of the start begins so long before it.
const TODAY_SECONDS: i64 = 1_200;
/// From one act to the next; well within what a signed message may travel.
const ACT_SECONDS: i64 = 20;
/// How long a city may take to come to rest, in looks.
const LOOKS_MAX: u32 = 6_000;
const LOOK_MILLIS: u64 = 5;
/// In how many years a planted certificate ends, and in how many days.
const TERM_YEARS: i16 = 6;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Cases that were handed in.
    pub cases: usize,
}

/// A mark beside the cities' folders that stands while they are planted (预置标记).
pub struct Mark(PathBuf);

impl Mark {
    /// The mark of a demo's folder.
    pub fn of(data: &Path) -> Mark {
        Mark(data.join("planting"))
    }

    /// Whether an earlier planting did not come to its end.
    pub fn is_set(&self) -> bool {
        self.0.is_file()
    }

    /// Planting begins.
    pub fn set(&self) -> Result<()> {
        let doing = |error| Fault::of(format!("writing {}", self.0.display()), error);
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder).map_err(doing)?;
        }
        Ok(fs::write(&self.0, "").map_err(doing)?)
    }

    /// It came to its end, or what it left was thrown away.
    pub fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Fault::of(format!("removing {}", self.0.display()), error).into())
            }
            _ => Ok(()),
        }
    }
}

/// When the region is to be founded, so that all that is planted lies after it.
pub fn beginning(now: Timestamp) -> Timestamp {
    let days = plan::first_day() + DAYS_BEFORE;
    Timestamp::at(plan::working_days_before(Calendar::national(), now.date(), days), 9)
}

/// Lives through the plan in cities that nobody has used yet, then closes them; `clock` ends at the present.
pub async fn plant(cities: Vec<City>, clock: Arc<StagedClock>) -> Result<Done> {
    let nodes: Vec<NodeId> = cities.iter().map(|city| city.node).collect();
    let planned = plan::plan(SEED, clock.present().date(), &plan::registers(&nodes)?);
    let mut running = Vec::new();
    let mut grounds = BTreeMap::new();
    for mut city in cities {
        running.push(city.run_node().await?);
        grounds.insert(city.node, Ground::of(city).await?);
    }
    let planting = Planting { grounds, clock, planned };
    let lived = planting.live().await;
    planting.close(running).await?;
    lived
}

/// A city that is planted.
struct Ground {
    city: City,
    services: Arc<t02_services::Parts>,
    /// Its officers and clerks, by what stands before the `@`.
    staff: BTreeMap<&'static str, Actor>,
}

impl Ground {
    async fn of(city: City) -> Result<Ground> {
        let (node, vault) = (city.node, city.parts.vault.clone());
        let staff = city.store.read("demo.plant.staff", move |tx| {
            let mut staff = BTreeMap::new();
            for name in ["window1", "reviewer1", "approver1"] {
                let account = accounts::by_login(tx, &vault, &format!("{name}@{node}"))?;
                let account = account.ok_or_else(|| Fault::new(format!("looking for {name}@{node}")))?;
                staff.insert(name, account.actor);
            }
            Ok(staff)
        });
        let staff = staff.await?;
        let services = Arc::new(modules::services(&city.parts));
        Ok(Ground { city, services, staff })
    }

    fn staff(&self, name: &'static str) -> Actor {
        self.staff.get(name).cloned().unwrap_or(Actor::Anonymous)
    }

    fn ctx(&self, actor: Actor) -> Ctx {
        self.city.app().ctx(actor)
    }

    /// Whether nothing waits to be done, sent or proven here.
    async fn is_quiet(&self, others: Vec<NodeId>) -> Result<bool> {
        let now = self.city.ctx().now;
        let look = move |tx: &mut Tx<'_>| {
            for other in &others {
                if outbox::waiting_since(tx, *other)?.is_some() {
                    return Ok(false);
                }
            }
            let is_idle = jobs::next_due(tx)?.is_none_or(|due| now < due);
            Ok(is_idle && log::waiting(tx)? == 0)
        };
        self.city.store.read("demo.plant.quiet", look).await
    }
}

/// A planting under way.
struct Planting {
    grounds: BTreeMap<NodeId, Ground>,
    clock: Arc<StagedClock>,
    planned: Vec<Planned>,
}

impl Planting {
    async fn live(&self) -> Result<Done> {
        self.licences().await?;
        self.quiet().await?;
        let mut cases: Vec<Option<CaseId>> = vec![None; self.planned.len()];
        for day in plan::days(&self.planned) {
            self.clock.set(self.morning(day));
            self.quiet().await?;
            for (planned, case) in self.planned.iter().zip(&mut cases) {
                for (_, step) in planned.steps.iter().filter(|(on, _)| *on == day) {
                    self.step(planned, case, *step).await?;
                    self.clock.pass(ACT_SECONDS);
                }
            }
            if day == 0 {
                self.today().await?;
            }
            self.quiet().await?;
        }
        self.clock.set(self.clock.present());
        self.quiet().await?;
        Ok(Done { cases: cases.iter().flatten().count() })
    }

    /// When the acts of a day begin.
    fn morning(&self, day: u32) -> Timestamp {
        let now = self.clock.present();
        match day {
            0 => now.plus_seconds(-TODAY_SECONDS),
            day => {
                let day = plan::working_days_before(Calendar::national(), now.date(), day);
                Timestamp::at(day, 9).plus_seconds(MORNING_SECONDS)
            }
        }
    }

    /// Everybody who renews a certificate has one: the register of the city that decides is taken over with it.
    async fn licences(&self) -> Result<()> {
        for (node, ground) in &self.grounds {
            let (ctx, issuer) = (ground.city.ctx(), ground.city.parts.issuer.clone());
            let of = self.planned.iter().filter(|it| it.deciding == *node);
            let people: Vec<_> = of.map(|it| it.there.clone()).collect();
            let work = move |tx: &mut Tx<'_>| {
                let from = ctx.now.date();
                let from = tb_base::Date::new(from.year() - TERM_YEARS, from.month(), from.day().min(28));
                let from = from.map_err(|error| Fault::of("dating certificates", error))?;
                let granted: Vec<_> = (people.iter().enumerate())
                    .map(|(at, person)| Qualification {
                        person,
                        category: CATEGORIES[at % CATEGORIES.len()],
                        valid_from: from,
                        valid_to: soon(ctx.now),
                    })
                    .collect();
                qualifications(tx, &ctx, &issuer, &granted).map(drop)
            };
            ground.city.store.write("demo.plant.licences", work).await?;
        }
        Ok(())
    }

    fn ground(&self, node: NodeId) -> Result<&Ground> {
        self.grounds.get(&node).ok_or_else(|| Fault::new(format!("planting in {node}")).into())
    }

    /// Whoever brings a case forward where it was collected: the applicant herself, or the clerk before whom she stands.
    fn filer(&self, planned: &Planned) -> Result<Actor> {
        Ok(match planned.way {
            Way::Online => applicant(planned),
            Way::Counter => self.ground(planned.collecting)?.staff("window1"),
        })
    }

    /// Waits until nothing waits in any city.
    async fn quiet(&self) -> Result<()> {
        for _ in 0..LOOKS_MAX {
            if self.is_quiet().await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await;
        }
        Err(Fault::new("planting: the cities did not come to rest").into())
    }

    async fn is_quiet(&self) -> Result<bool> {
        for (node, ground) in &self.grounds {
            let others = self.grounds.keys().copied().filter(|other| other != node).collect();
            if !ground.is_quiet(others).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn close(self, running: Vec<JoinHandle<Result<()>>>) -> Result<()> {
        for ground in self.grounds.values() {
            ground.city.engine().shut_down();
        }
        for node in running {
            node.await.map_err(|error| Fault::of("running a node while planting", error))??;
        }
        for (_, ground) in self.grounds {
            let Ground { city, services, .. } = ground;
            drop(services);
            city.close().await;
        }
        Ok(())
    }
}

/// The applicant, signed in where she applies.
fn applicant(planned: &Planned) -> Actor {
    Actor::Resident { person: planned.person.id, level: 3 }
}

/// A day on which a certificate that is renewed now has not long to go.
fn soon(now: Timestamp) -> Option<tb_base::Date> {
    Some(now.plus_seconds(90 * 86_400).date())
}
