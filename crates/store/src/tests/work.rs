//! Jobs, audit lines and search.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tb_base::Result;

use super::bench::{Bench, COUNT, INSERT, TEST, at, ctx};
use crate::audit::Search;
use crate::jobs::Job;
use crate::{Lease, Stmt, Store, Tx, audit, jobs, params, search, stmt};

const ORDER: Stmt = stmt("test.order", "SELECT id FROM test_row ORDER BY n");

both! {
    a_job_is_taken_once, a_job_put_again_is_moved, a_job_put_while_it_runs_is_not_lost, a_failed_job_comes_back,
    workers_share_the_jobs, a_line_is_one_process_and_begins_with_the_oldest, two_processes_keep_the_order_of_a_line,
    audit_lines_are_found, audit_pages_follow_on, a_rare_audit_line_is_found_in_bounded_steps, texts_are_found, a_text_is_replaced,
    hostile_queries_find_nothing,
}

fn by(holder: &str) -> Lease<'_> {
    Lease { holder, seconds: 30 }
}

async fn put(bench: &Bench, key: &'static str, seconds: i64) {
    let payload = serde_json::json!({ "key": key });
    bench
        .store
        .write("test.put", move |tx| jobs::put(tx, "test.job", key, at(seconds), &payload))
        .await
        .unwrap();
}

async fn due(bench: &Bench, seconds: i64) -> Vec<Job> {
    bench.store.write("test.due", move |tx| jobs::due(tx, at(seconds), 100, by("one"))).await.unwrap()
}

fn keys(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.key.as_str()).collect()
}

async fn a_job_is_taken_once(bench: &Bench) {
    put(bench, "b", 5).await;
    put(bench, "a", 7).await;
    assert_eq!(keys(&due(bench, 4).await), Vec::<&str>::new());
    let taken = due(bench, 9).await;
    assert_eq!(keys(&taken), ["b", "a"]);
    assert_eq!(taken[0].payload, serde_json::json!({ "key": "b" }));
    assert_eq!(keys(&due(bench, 10).await), Vec::<&str>::new());
    assert!(
        !bench.store.read("test.is_due", |tx| jobs::is_due(tx, at(10), "one")).await.unwrap(),
        "both are taken"
    );
    bench.store.write("test.done", move |tx| jobs::done(tx, &taken[0])).await.unwrap();
    assert_eq!(keys(&due(bench, 40).await), ["a"]);
}

async fn a_job_put_again_is_moved(bench: &Bench) {
    put(bench, "a", 5).await;
    put(bench, "a", 50).await;
    assert_eq!(keys(&due(bench, 49).await), Vec::<&str>::new());
    assert_eq!(bench.store.read("test.next", jobs::next_due).await.unwrap(), Some(at(50)));
    bench.store.write("test.cancel", |tx| jobs::cancel(tx, "test.job", "a")).await.unwrap();
    assert_eq!(bench.store.read("test.next", jobs::next_due).await.unwrap(), None);
}

async fn a_job_put_while_it_runs_is_not_lost(bench: &Bench) {
    put(bench, "a", 5).await;
    let taken = due(bench, 5).await;
    put(bench, "a", 6).await;
    bench.store.write("test.done", move |tx| jobs::done(tx, &taken[0])).await.unwrap();
    assert_eq!(keys(&due(bench, 6).await), ["a"]);
}

async fn a_failed_job_comes_back(bench: &Bench) {
    put(bench, "a", 5).await;
    let taken = due(bench, 5).await;
    bench.store.write("test.retry", move |tx| jobs::retry(tx, &taken[0], at(20), "down")).await.unwrap();
    assert_eq!(keys(&due(bench, 19).await), Vec::<&str>::new());
    assert_eq!(due(bench, 20).await[0].attempts, 1);
}

async fn workers_share_the_jobs(bench: &Bench) {
    let fill = |tx: &mut Tx<'_>| {
        (0..60).try_for_each(|number| {
            jobs::put(tx, "test.job", &format!("k{number}"), at(1), &serde_json::Value::Null)
        })
    };
    bench.store.write("test.fill", fill).await.unwrap();
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(
                async move { store.write("test.due", |tx| jobs::due(tx, at(2), 10, by("one"))).await },
            )
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.unwrap().unwrap().into_iter().map(|job| job.key));
    }
    // A worker that met locked rows may have got fewer; nobody got what another one has.
    taken.extend(due(bench, 2).await.into_iter().map(|job| job.key));
    let count = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!((count, taken.len()), (60, 60));
}

const LINE: &str = "test.line/430300";

fn queue(tx: &mut Tx<'_>, numbers: std::ops::Range<u32>) -> Result<()> {
    let nothing = serde_json::Value::Null;
    let mut put = |number| jobs::put_in_line(tx, LINE, "test.line", &format!("{number:03}"), at(1), &nothing);
    numbers.into_iter().try_for_each(&mut put)
}

async fn a_line_is_one_process_and_begins_with_the_oldest(bench: &Bench) {
    bench.store.write("test.queue", |tx| queue(tx, 0..5)).await.unwrap();
    put(bench, "free", 1).await;
    let take = async |holder: &'static str, seconds, limit| {
        let take = move |tx: &mut Tx<'_>| jobs::due(tx, at(seconds), limit, by(holder));
        bench.store.write("test.take", take).await.unwrap()
    };
    let keep = async |holder: &'static str, seconds| {
        let keep = move |tx: &mut Tx<'_>| jobs::keep_line(tx, at(seconds), LINE, by(holder));
        bench.store.write("test.keep", keep).await.unwrap()
    };
    let first = take("one", 2, 3).await;
    assert_eq!(keys(&first), ["free", "000", "001"]);
    // Nobody else gets what stands behind it, nor is told that there is anything.
    assert_eq!(keys(&take("two", 3, 10).await), Vec::<&str>::new());
    assert!(!bench.store.read("test.is_due", |tx| jobs::is_due(tx, at(3), "two")).await.unwrap());
    bench.store.write("test.done", move |tx| jobs::done(tx, &first[1])).await.unwrap();
    assert!(keep("one", 20).await && !keep("two", 20).await);
    assert_eq!(keys(&take("two", 49, 10).await), ["free"]);
    // The first was away for too long: the second begins with what it had taken, and the first hears of it.
    assert_eq!(keys(&take("two", 50, 2).await), ["001", "002"]);
    assert!(!keep("one", 51).await && keep("two", 51).await);
    assert_eq!(keys(&take("one", 52, 10).await), Vec::<&str>::new());
}

/// Takes a few jobs at a time and does them one by one; time goes on so fast that leases end in the middle.
async fn do_line(store: Store, clock: Arc<AtomicI64>, holder: &'static str) {
    loop {
        let now = at(clock.fetch_add(8, Ordering::SeqCst));
        let taken = store.write("test.take", move |tx| jobs::due(tx, now, 4, by(holder))).await.unwrap();
        for job in taken {
            let now = at(clock.fetch_add(8, Ordering::SeqCst));
            let work = move |tx: &mut Tx<'_>| {
                if !jobs::keep_line(tx, now, LINE, by(holder))? {
                    return Ok(false);
                }
                let before: i64 = tx.one(&COUNT, &[])?.unwrap().get("rows")?;
                tx.run(&INSERT, params![&job.key, before])?;
                jobs::done(tx, &job)?;
                Ok(true)
            };
            if !store.write("test.work", work).await.unwrap() {
                break;
            }
        }
        if store.read("test.next", jobs::next_due).await.unwrap().is_none() {
            return;
        }
    }
}

async fn two_processes_keep_the_order_of_a_line(bench: &Bench) {
    bench.store.write("test.queue", |tx| queue(tx, 0..60)).await.unwrap();
    let beside = match bench.is_postgres() {
        true => Store::open(&bench.config, &[TEST]).await.unwrap(),
        false => bench.store.clone(),
    };
    let clock = Arc::new(AtomicI64::new(2));
    let one = tokio::spawn(do_line(bench.store.clone(), clock.clone(), "one"));
    let two = tokio::spawn(do_line(beside.clone(), clock, "two"));
    let both = async { tokio::try_join!(one, two) };
    let done = tokio::time::timeout(std::time::Duration::from_secs(60), both).await;
    done.expect("the line comes to its end").unwrap();
    let order = |tx: &mut Tx<'_>| tx.all(&ORDER, &[])?.iter().map(|row| row.get("id")).collect();
    let done: Vec<String> = bench.store.read("test.order", order).await.unwrap();
    assert_eq!(done, (0..60).map(|number| format!("{number:03}")).collect::<Vec<_>>());
    beside.close().await;
}

async fn write_lines(bench: &Bench) {
    let write = |tx: &mut Tx<'_>| {
        audit::line(tx, &ctx(1), "case.accept", "case-1", "done")?;
        audit::line(tx, &ctx(2), "case.decide", "case-1", "CAS-DEC-001")?;
        audit::line(tx, &ctx(3), "case.accept", "case-2", "done")
    };
    bench.store.write("test.audit", write).await.unwrap();
}

async fn lines(bench: &Bench, search: Search) -> Vec<audit::Line> {
    bench.store.read("test.lines", move |tx| audit::search(tx, &search, None, 10)).await.unwrap().lines
}

async fn audit_lines_are_found(bench: &Bench) {
    write_lines(bench).await;
    let objects = |lines: Vec<audit::Line>| lines.into_iter().map(|line| line.object).collect::<Vec<_>>();
    assert_eq!(objects(lines(bench, Search::default()).await), ["case-2", "case-1", "case-1"]);
    let of_case = lines(bench, Search::object("case-1")).await;
    assert_eq!(of_case[0].outcome, "CAS-DEC-001");
    assert_eq!((of_case[1].actor.as_str(), of_case[1].at), ("system", at(1)));
    let accepted = Search::action("case.accept");
    assert_eq!(objects(lines(bench, accepted.clone()).await), ["case-2", "case-1"]);
    let second = Search { from: Some(at(2)), until: Some(at(3)), ..Search::default() };
    assert_eq!(lines(bench, second.clone()).await.len(), 1);
    assert_eq!(lines(bench, Search { action: accepted.action.clone(), ..second }).await.len(), 0);
    let trace = of_case[1].trace.clone();
    let all = Search {
        actor: Some("system".to_owned()),
        outcome: Some("done".to_owned()),
        trace: Some(trace),
        object: Some("case-1".to_owned()),
        ..accepted
    };
    assert_eq!(lines(bench, all.clone()).await, [of_case[1].clone()]);
    assert_eq!(lines(bench, Search { actor: Some("staff".to_owned()), ..all }).await, []);
    let found = of_case[1].clone();
    let (line, count) = bench
        .store
        .read("test.line", move |tx| {
            let count = audit::count_about(tx, "case-1", at(1), "case.accept", "done", 10)?;
            Ok((audit::find(tx, found.id)?, count))
        })
        .await
        .unwrap();
    assert_eq!((line.as_ref(), count), (Some(&of_case[1]), 1));
}

async fn audit_pages_follow_on(bench: &Bench) {
    write_lines(bench).await;
    let page = async |before, limit| {
        let read = move |tx: &mut Tx<'_>| audit::search(tx, &Search::default(), before, limit);
        bench.store.read("test.lines", read).await.unwrap()
    };
    let first = page(None, 2).await;
    let second = page(first.next, 2).await;
    assert_eq!((first.lines.len(), second.lines.len(), second.next), (2, 1, None));
    assert_eq!(second.lines[0].at, at(1));
    assert_eq!(page(None, 3).await.next, None);
    let oldest = second.lines[0].id;
    let back = async |than, limit| {
        let read = move |tx: &mut Tx<'_>| audit::newer(tx, &Search::default(), than, limit);
        bench.store.read("test.newer", read).await.unwrap()
    };
    assert_eq!(back(oldest, 2).await, audit::Found { lines: first.lines.clone(), next: None });
    let one = back(oldest, 1).await;
    assert_eq!((one.lines[0].id, one.next), (first.lines[1].id, Some(first.lines[1].id)));
    assert_eq!(back(first.lines[0].id, 2).await, audit::Found::default());
    let search = |actor: Option<&str>, action: Option<&str>, object: Option<&str>| Search {
        actor: actor.map(str::to_owned),
        action: action.map(str::to_owned),
        object: object.map(str::to_owned),
        ..Search::default()
    };
    let all = [
        search(None, None, None),
        search(None, Some("case.accept"), None),
        search(None, None, Some("case-1")),
        search(None, Some("case.accept"), Some("case-1")),
        search(Some(&first.lines[0].actor), None, None),
        search(Some("staff"), None, None),
        search(Some("staff:%"), None, None),
        Search { trace: Some(first.lines[0].trace.clone()), ..Search::default() },
        Search {
            outcome: Some("done".to_owned()),
            from: Some(at(2)),
            until: Some(at(3)),
            ..Search::default()
        },
    ];
    for asked in all {
        let listed = lines(bench, asked.clone()).await.len();
        let same = asked.clone();
        let read = move |tx: &mut Tx<'_>| audit::count(tx, &same);
        let (counted, is_more) = bench.store.read("test.count", read).await.unwrap();
        assert_eq!((counted as usize, is_more), (listed, false), "{asked:?}");
    }
}

/// What is rare among very many is found page by page, each page costing a bounded number of rows.
async fn a_rare_audit_line_is_found_in_bounded_steps(bench: &Bench) {
    let more = i64::try_from(audit::SCAN_MAX).unwrap() + 100;
    let write = move |tx: &mut Tx<'_>| {
        audit::line(tx, &ctx(1), "case.accept", "case-1", "rare")?;
        (0..more).try_for_each(|n| audit::line(tx, &ctx(2 + n), "case.accept", "case-2", "done"))
    };
    bench.store.write("test.audit", write).await.unwrap();
    let rare = Search { outcome: Some("rare".to_owned()), ..Search::action("case.accept") };
    let page = async |before| {
        let rare = rare.clone();
        bench.store.read("test.lines", move |tx| audit::search(tx, &rare, before, 10)).await.unwrap()
    };
    let first = page(None).await;
    assert!(first.lines.is_empty() && first.next.is_some());
    let second = page(first.next).await;
    assert_eq!((second.lines.len(), second.next), (1, None));
}

fn fill_search(tx: &mut Tx<'_>) -> Result<()> {
    search::index(tx, "item", "121", "121 道路运输驾驶员从业资格证换发 Renewal of the driver's certificate")?;
    search::index(tx, "item", "7", "居民身份证换领 道路")?;
    search::index(tx, "item", "8", "公积金 提取，资格")?;
    search::index(tx, "office", "1", "道路运输处")
}

async fn found(bench: &Bench, query: &str) -> Vec<String> {
    let query = query.to_owned();
    let mut found =
        bench.store.read("test.find", move |tx| search::find(tx, "item", &query, 10)).await.unwrap();
    found.sort();
    found
}

async fn texts_are_found(bench: &Bench) {
    bench.store.write("test.fill", fill_search).await.unwrap();
    assert_eq!(found(bench, "资格").await, ["121", "8"]);
    assert_eq!(found(bench, "道路").await, ["121", "7"]);
    assert_eq!(found(bench, "运输驾驶员").await, ["121"]);
    assert_eq!(found(bench, "换领 身份证").await, ["7"]);
    assert_eq!(found(bench, "证").await, ["121", "7"]);
    assert_eq!(found(bench, "路道").await, Vec::<String>::new());
    assert_eq!(found(bench, "取资").await, Vec::<String>::new());
    assert_eq!(found(bench, "12").await, ["121"]);
    assert_eq!(found(bench, "RENEW driv").await, ["121"]);
    assert_eq!(found(bench, "enewal").await, Vec::<String>::new());
}

async fn a_text_is_replaced(bench: &Bench) {
    bench.store.write("test.fill", fill_search).await.unwrap();
    bench.store.write("test.index", |tx| search::index(tx, "item", "8", "社会保险 转移")).await.unwrap();
    assert_eq!(found(bench, "资格").await, ["121"]);
    assert_eq!(found(bench, "转移").await, ["8"]);
    bench.store.write("test.index", |tx| search::index(tx, "item", "8", "——")).await.unwrap();
    assert_eq!(found(bench, "转移").await, Vec::<String>::new());
    bench.store.write("test.forget", |tx| search::forget(tx, "item", "121")).await.unwrap();
    assert_eq!(found(bench, "资格").await, Vec::<String>::new());
}

async fn hostile_queries_find_nothing(bench: &Bench) {
    bench.store.write("test.fill", fill_search).await.unwrap();
    for query in [
        "",
        "  ",
        "*",
        "\"",
        "' OR 1=1 --",
        "& | !",
        "NEAR(",
        "words:x",
        "资 格*)",
        "\\",
        "𠀀𠀁",
        &"道".repeat(10_000),
    ] {
        found(bench, query).await;
    }
    assert_eq!(found(bench, "*").await, Vec::<String>::new());
    assert_eq!(found(bench, "OR").await, Vec::<String>::new());
}
